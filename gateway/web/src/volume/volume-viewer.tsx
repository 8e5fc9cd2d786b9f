import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { Analysis } from "../api/types";
import { t } from "../i18n";
import { useLoaded } from "../ui/loaded";
import { Notice, ProblemNotice } from "../ui/notice";
import { useReconnect } from "../ui/reconnect";
import { DrawnVolume } from "./drawn-volume";
import { PlainVolume, type Reason } from "./plain-volume";
import { hasWebGl2 } from "./webgl";
import "./volume.css";

/** A volume in three planes, or as the gateway's pictures where the browser cannot draw it. */
export default function VolumeViewer({ analysis }: { analysis: Analysis }) {
  const listing = useLoaded((signal) => api.slices(analysis.id, signal), [analysis.id]);
  useReconnect(listing.error, listing.again);
  const [why, setWhy] = useState<Reason | null>(() => (hasWebGl2() ? null : "noWebgl"));
  return (
    <section
      class="volume"
      data-testid="viewer"
      data-kind="volume"
      data-plain={why !== null}
      aria-label={t("volume.stage")}
    >
      {listing.error !== null && <ProblemNotice error={listing.error} onRetry={listing.again} />}
      {listing.value && !listing.value.oriented && (
        <div data-testid="orientation-warning">
          <Notice tone="warning" title={t("volume.notOriented")}>
            <p>{t("volume.notOrientedHint")}</p>
          </Notice>
        </div>
      )}
      {!listing.value ? (
        listing.loading && (
          <p class="volume-stage volume-waiting" role="status">
            <span class="spinner" /> {t("volume.loading")}
          </p>
        )
      ) : why ? (
        <PlainVolume
          listing={listing.value}
          why={why}
          onRetry={why === "noWebgl" ? null : () => setWhy(null)}
        />
      ) : (
        <DrawnVolume analysis={analysis} listing={listing.value} onBroken={setWhy} />
      )}
    </section>
  );
}
