import { useState } from "preact/hooks";
import type { SliceListing, ViewLabel } from "../api/types";
import { t } from "../i18n";
import { clamp } from "../ui/clamp";
import { Notice } from "../ui/notice";
import { PlaneChoice } from "./plane-choice";
import { AXES, mostOutlined } from "./planes";
import { SlicePicture } from "./slice-picture";
import { Strip } from "./strip";

/** Why volumes are not drawn by the browser itself. */
export type Reason = "noWebgl" | "webglLost" | "noFile";

/** The volume without WebGL: the gateway's pictures, one plane at a time. */
export function PlainVolume({
  listing,
  why,
  onRetry,
}: {
  listing: SliceListing;
  why: Reason;
  onRetry: (() => void) | null;
}) {
  const [plane, setPlane] = useState<ViewLabel>(listing.key_slice?.plane ?? "axial");
  const [at, setAt] = useState<readonly number[]>(() => mostOutlined(listing));
  const [outlined, setOutlined] = useState(true);
  const slices = listing.planes[plane]?.slices ?? 1;
  const index = at[AXES[plane].across] ?? 0;
  const goTo = (wanted: number) =>
    setAt((before) =>
      before.map((value, axis) => (axis === AXES[plane].across ? clamp(wanted, 0, slices - 1) : value)),
    );
  const counts = listing.planes[plane]?.outlined_px ?? null;
  const key = listing.key_slice?.plane === plane ? listing.key_slice.index : null;
  return (
    <div class="volume-plain">
      <Notice tone="info" title={t("volume.plainTitle")}>
        <p>{t(`volume.${why}`)}</p>
        {onRetry && (
          <div>
            <button type="button" class="button" onClick={onRetry}>
              {t("shell.retry")}
            </button>
          </div>
        )}
      </Notice>
      <div class="volume-toolbar">
        <PlaneChoice plane={plane} onPlane={setPlane} />
        {listing.labels.length > 0 && (
          <label class="volume-check">
            <input
              type="checkbox"
              data-testid="overlay-mask"
              checked={outlined}
              onChange={(event) => setOutlined(event.currentTarget.checked)}
            />
            {t("volume.showOutline")}
          </label>
        )}
      </div>
      <SlicePicture
        listing={listing}
        choice={{ plane, index, labels: outlined ? listing.labels : [] }}
        onTurn={(by) => goTo(index + by)}
      />
      <Strip plane={plane} slices={slices} index={index} counts={counts} keySlice={key} onGo={goTo} />
    </div>
  );
}
