import type { Analysis } from "../api/types";
import { moment, t, word } from "../i18n";
import { VerdictChip } from "../ui/verdict-chip";

/** Which of the two it is, when it was sent, and what was found. */
export function ExamHead({ exam, analysis }: { exam: "baseline" | "followup"; analysis: Analysis }) {
  return (
    <div class="compare-head">
      <h2>{t(`compare.${exam}`)}</h2>
      <p class="quiet small">{t("compare.sent", { when: moment(analysis.created_at) })}</p>
      {analysis.tumor && <p class="small">{word("tumor", analysis.tumor.label)}</p>}
      {analysis.verdict && <VerdictChip verdict={analysis.verdict} />}
      <a class="small compare-open" href={`/analyses/${analysis.id}`}>
        {t("compare.open")}
      </a>
    </div>
  );
}
