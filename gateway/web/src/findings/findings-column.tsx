import type { Analysis } from "../api/types";
import { moment, t, word } from "../i18n";
import { ReviewPart } from "../review/review-part";
import { Notice } from "../ui/notice";
import { ClinicalPart } from "./clinical-part";
import { FilePart } from "./file-part";
import { KeepBar } from "./keep-bar";
import { MeasuresPart } from "./measures-part";
import { ModelsFold } from "./models-fold";
import { TumorPart } from "./tumor-part";
import { VerdictPart } from "./verdict-part";
import { ViewPart } from "./view-part";
import "./details.css";
import "./findings.css";
import "./keep.css";

/** All that was found, the verdict first. */
export function FindingsColumn({
  analysis,
  onReviewed,
}: {
  analysis: Analysis;
  onReviewed: (analysis: Analysis) => void;
}) {
  const { verdict, problem } = analysis;
  return (
    <aside class="findings" aria-label={t("findings.title")}>
      <div class="findings-scroll">
        {verdict && <VerdictPart analysis={analysis} verdict={verdict} />}
        {problem && (
          <div class="findings-partial">
            <Notice tone="warning" title={t("findings.partial")}>
              {problem.stage && <p>{t("findings.missingStage", { stage: word("stage", problem.stage) })}</p>}
              <p class="small" dir="ltr" lang="en">
                {problem.title}. {problem.detail}
              </p>
            </Notice>
          </div>
        )}
        <TumorPart analysis={analysis} />
        <MeasuresPart analysis={analysis} />
        <ViewPart analysis={analysis} />
        <ClinicalPart analysis={analysis} />
        <FilePart analysis={analysis} />
        <ReviewPart analysis={analysis} onReviewed={onReviewed} />
        <ModelsFold analysis={analysis} />
        <p class="findings-foot">
          <span class="ltr mono">{analysis.id}</span>
          <span>{moment(analysis.created_at)}</span>
        </p>
      </div>
      <KeepBar analysis={analysis} />
    </aside>
  );
}
