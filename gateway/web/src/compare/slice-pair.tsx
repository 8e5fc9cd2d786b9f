import { useMemo, useState } from "preact/hooks";
import type { Analysis } from "../api/types";
import { t } from "../i18n";
import SliceViewer from "../viewer/slice-viewer";
import { newViewState } from "../viewer/view-state";
import { ExamHead } from "./exam-head";
import type { Pair } from "./volume-pair";

/** Two slices. Linked, they share window, zoom and place. */
export function SlicePair({ exams, linkable }: { exams: Pair<Analysis>; linkable: boolean }) {
  const [linked, setLinked] = useState(linkable);
  const shared = useMemo(newViewState, []);
  const own = useMemo(newViewState, []);
  return (
    <>
      {linkable && (
        <label class="compare-check">
          <input
            type="checkbox"
            data-testid="compare-link"
            checked={linked}
            onChange={(event) => setLinked(event.currentTarget.checked)}
          />
          {t("compare.link")}
        </label>
      )}
      <div class="compare-pair">
        <section class="compare-side" data-testid="compare-left">
          <ExamHead exam="baseline" analysis={exams.baseline} />
          <Picture analysis={exams.baseline} view={shared} />
        </section>
        <section class="compare-side" data-testid="compare-right">
          <ExamHead exam="followup" analysis={exams.followup} />
          <Picture analysis={exams.followup} view={linked ? shared : own} />
        </section>
      </div>
    </>
  );
}

function Picture({ analysis, view }: { analysis: Analysis; view: ReturnType<typeof newViewState> }) {
  if (analysis.input?.kind === "slice") return <SliceViewer analysis={analysis} view={view} />;
  const picture = analysis.links.overlay ?? analysis.links.input;
  return picture ? <img src={picture} alt="" /> : <p class="quiet">{t("compare.unknown")}</p>;
}
