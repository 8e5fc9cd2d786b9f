import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { Analysis, SliceListing, ViewLabel } from "../api/types";
import { t } from "../i18n";
import { clamp } from "../ui/clamp";
import { useLoaded } from "../ui/loaded";
import { ProblemNotice } from "../ui/notice";
import { useReconnect } from "../ui/reconnect";
import { PlaneChoice } from "../volume/plane-choice";
import { AXES, mostOutlined } from "../volume/planes";
import { relativeSlice } from "../volume/slice-address";
import { SlicePicture } from "../volume/slice-picture";
import { Strip } from "../volume/strip";
import { ExamHead } from "./exam-head";
import "../volume/volume.css";

export interface Pair<T> {
  baseline: T;
  followup: T;
}

const ROLES = ["baseline", "followup"] as const;
type Role = (typeof ROLES)[number];

/** Two volumes in the same plane. Linked, one lies as deep as the other, but for what they were shifted while apart. */
export function VolumePair({ exams }: { exams: Pair<Analysis> }) {
  const listings = useLoaded(
    async (signal) => {
      const [baseline, followup] = await Promise.all([
        api.slices(exams.baseline.id, signal),
        api.slices(exams.followup.id, signal),
      ]);
      return { baseline, followup };
    },
    [exams.baseline.id, exams.followup.id],
  );
  useReconnect(listings.error, listings.again);
  if (listings.error !== null) return <ProblemNotice error={listings.error} onRetry={listings.again} />;
  if (!listings.value) return <span class="spinner" role="status" aria-label={t("compare.loading")} />;
  return <LinkedSlices exams={exams} listings={listings.value} />;
}

function count(listing: SliceListing, plane: ViewLabel): number {
  return listing.planes[plane]?.slices ?? 1;
}

function LinkedSlices({ exams, listings }: { exams: Pair<Analysis>; listings: Pair<SliceListing> }) {
  const [plane, setPlane] = useState<ViewLabel>("axial");
  const [linked, setLinked] = useState(true);
  const [outlined, setOutlined] = useState(true);
  const [index, setIndex] = useState<Pair<number>>(() => start(listings, "axial"));
  const [shift, setShift] = useState(0);

  const choosePlane = (wanted: ViewLabel) => {
    setPlane(wanted);
    setShift(0);
    setIndex(start(listings, wanted));
  };
  const slices = (role: Role) => count(listings[role], plane);
  const link = (on: boolean) => {
    setLinked(on);
    if (on) {
      setShift(index.followup - relativeSlice(index.baseline, slices("baseline"), slices("followup")));
    }
  };
  const goTo = (role: Role, wanted: number) => {
    const at = clamp(Math.round(wanted), 0, slices(role) - 1);
    const other: Role = role === "baseline" ? "followup" : "baseline";
    const moved = role === "baseline" ? at : at - shift;
    const matching = relativeSlice(moved, slices(role), slices(other)) + (role === "baseline" ? shift : 0);
    setIndex((before) => ({
      ...before,
      [role]: at,
      ...(linked ? { [other]: clamp(matching, 0, slices(other) - 1) } : {}),
    }));
  };
  return (
    <>
      <div class="volume-toolbar">
        <PlaneChoice plane={plane} onPlane={choosePlane} />
        <label class="volume-check">
          <input
            type="checkbox"
            data-testid="compare-link"
            checked={linked}
            onChange={(event) => link(event.currentTarget.checked)}
          />
          {t("compare.link")}
        </label>
        <label class="volume-check">
          <input
            type="checkbox"
            data-testid="overlay-mask"
            checked={outlined}
            onChange={(event) => setOutlined(event.currentTarget.checked)}
          />
          {t("compare.outline")}
        </label>
      </div>
      <div class="compare-pair">
        {ROLES.map((role) => {
          const listing = listings[role];
          return (
            <section
              key={role}
              class="compare-side"
              data-testid={role === "baseline" ? "compare-left" : "compare-right"}
            >
              <ExamHead exam={role} analysis={exams[role]} />
              <SlicePicture
                listing={listing}
                choice={{ plane, index: index[role], labels: outlined ? listing.labels : [] }}
                onTurn={(by) => goTo(role, index[role] + by)}
              />
              <Strip
                name={role}
                plane={plane}
                slices={slices(role)}
                index={index[role]}
                counts={listing.planes[plane]?.outlined_px ?? null}
                keySlice={listing.key_slice?.plane === plane ? listing.key_slice.index : null}
                onGo={(wanted) => goTo(role, wanted)}
              />
            </section>
          );
        })}
      </div>
    </>
  );
}

/** The baseline on its key slice, or where most of it is outlined, the follow-up as deep. */
function start(listings: Pair<SliceListing>, plane: ViewLabel): Pair<number> {
  const key = listings.baseline.key_slice;
  const baseline = key?.plane === plane ? key.index : mostOutlined(listings.baseline)[AXES[plane].across];
  const [from, to] = [count(listings.baseline, plane), count(listings.followup, plane)];
  return { baseline, followup: relativeSlice(baseline, from, to) };
}
