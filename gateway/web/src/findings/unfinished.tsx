import { JobProgress } from "../analyze/job-progress";
import type { Analysis } from "../api/types";
import { t, word } from "../i18n";
import { Notice } from "../ui/notice";
import { KeepBar } from "./keep-bar";

/** What stands in the findings' place while an analysis runs, or where it failed. */
export function Unfinished({ analysis, onEnd }: { analysis: Analysis; onEnd: () => void }) {
  const { state, problem } = analysis;
  if (state === "queued" || state === "running") {
    return (
      <aside class="findings" aria-label={t("findings.title")}>
        <div class="findings-scroll findings-waiting">
          <h1 class="visually-hidden">{word("state", state)}</h1>
          <JobProgress analysis={analysis} onEnd={onEnd} />
        </div>
      </aside>
    );
  }
  return (
    <aside class="findings" aria-label={t("findings.title")}>
      <div class="findings-scroll findings-waiting stack">
        <h1>{state === "failed" ? t("findings.failed") : t("findings.canceled")}</h1>
        {problem ? (
          <Notice tone="error" title={problem.title}>
            <p dir="ltr" lang="en">
              {problem.detail}
            </p>
            {problem.request_id && (
              <p class="quiet small">{t("problem.request", { id: problem.request_id })}</p>
            )}
          </Notice>
        ) : (
          <p class="quiet">{t("findings.canceledHint")}</p>
        )}
        <p class="row">
          <a class="button primary" href="/">
            {t("findings.again")}
          </a>
          <a class="button" href="/worklist">
            {t("findings.toWorklist")}
          </a>
        </p>
      </div>
      <KeepBar analysis={analysis} />
    </aside>
  );
}
