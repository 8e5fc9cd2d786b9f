import { useLocation, useRoute } from "preact-iso";
import { api } from "../api/client";
import { t } from "../i18n";
import { useTitle } from "../shell/title";
import { useLoaded } from "../ui/loaded";
import { Notice, ProblemNotice } from "../ui/notice";
import { useReconnect } from "../ui/reconnect";
import { ComparisonFindings } from "./findings";
import { SlicePair } from "./slice-pair";
import { VolumePair } from "./volume-pair";
import "./compare.css";

/** Two exams side by side, and what changed from one to the other. */
export default function ComparePage() {
  const { params } = useRoute();
  useTitle(t("compare.title"));
  const { route } = useLocation();
  const { baseline = "", followup = "" } = params;
  const exams = useLoaded(
    async (signal) => {
      const both = await Promise.all([api.analysis(baseline, signal), api.analysis(followup, signal)]);
      return { baseline: both[0], followup: both[1] };
    },
    [baseline, followup],
  );
  const comparison = useLoaded((signal) => api.compare(baseline, followup, signal), [baseline, followup]);
  useReconnect(exams.error, exams.again);
  useReconnect(comparison.error, comparison.again);
  const pair = exams.value;
  const volumes = pair && pair.baseline.input?.kind !== "slice" && pair.followup.input?.kind !== "slice";
  // Of what is shown, not of the address: with the next pair its viewers begin anew.
  const shown = pair && `${pair.baseline.id}-${pair.followup.id}`;
  const alike = pair?.baseline.input?.kind === pair?.followup.input?.kind;
  return (
    <div class="compare">
      <div class="row spread">
        <h1>{t("compare.title")}</h1>
        <button
          type="button"
          class="button"
          data-testid="compare-swap"
          onClick={() => route(`/compare/${followup}/${baseline}`)}
        >
          <span aria-hidden="true">⇄</span>
          {t("compare.swap")}
        </button>
      </div>
      {exams.error !== null && <ProblemNotice error={exams.error} onRetry={exams.again} />}
      {!pair && exams.loading && (
        <p class="row quiet" role="status">
          <span class="spinner" /> {t("compare.loading")}
        </p>
      )}
      {pair && volumes && <VolumePair key={shown} exams={pair} />}
      {pair && !volumes && <SlicePair key={shown} exams={pair} linkable={alike} />}
      {pair && comparison.error !== null && (
        <div class="stack">
          <ProblemNotice error={comparison.error} onRetry={comparison.again} />
          <Notice tone="info" title={t("compare.refused")}>
            <p>{t("compare.refusedHint")}</p>
            <p>
              <a href="/worklist">{t("compare.worklist")}</a>
            </p>
          </Notice>
        </div>
      )}
      {comparison.value && <ComparisonFindings comparison={comparison.value} />}
    </div>
  );
}
