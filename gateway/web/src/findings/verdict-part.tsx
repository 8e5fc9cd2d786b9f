import type { Analysis, Verdict } from "../api/types";
import { language, percent, t, word } from "../i18n";
import { Icon } from "../ui/icon";
import { ReasonItem } from "./reason-item";

// With one of these the gateway refuses; the others want a reader.
const REFUSING = new Set(["no_label_excluded", "unknown_view"]);

/** The answer in a sentence, what it rests on, and everything that speaks against it. */
export function VerdictPart({ analysis, verdict }: { analysis: Analysis; verdict: Verdict }) {
  return (
    <section class={`findings-verdict ${verdict}`} data-testid="verdict" data-verdict={verdict}>
      <div class="findings-verdict-head">
        <Icon name={verdict} size={28} />
        <div>
          {verdict !== "refuse" && <p class="findings-eyebrow">{word("verdict", verdict)}</p>}
          <h1>{headline(analysis, verdict)}</h1>
          <p class="findings-lead">{lead(analysis, verdict)}</p>
        </div>
      </div>
      {analysis.reasons.length > 0 && (
        <ul class="findings-reasons" aria-label={t("findings.reasons")}>
          {analysis.reasons.map((reason, place) => (
            <ReasonItem key={`${reason.code}-${place}`} reason={reason} />
          ))}
        </ul>
      )}
    </section>
  );
}

function headline(analysis: Analysis, verdict: Verdict): string {
  const { tumor } = analysis;
  if (verdict === "review") return t("findings.review");
  if (verdict === "refuse") return refusal(analysis);
  if (!tumor) return t("findings.refuse");
  const coverage = percent(tumor.coverage);
  const label = word("tumor", tumor.label);
  if (tumor.coverage >= 1) return label;
  return tumor.label === "no_tumor"
    ? t("findings.answerNoTumor", { coverage })
    : t("findings.answer", { label, coverage });
}

/** "No answer: no type can be excluded". */
function refusal({ reasons }: Analysis): string {
  const reason = reasons.find(({ code }) => REFUSING.has(code));
  if (!reason) return t("findings.refuse");
  const [first = "", ...rest] = word("reason", reason.code);
  return t("findings.refuseBecause", {
    reason: first.toLocaleLowerCase(language.value.code) + rest.join(""),
  });
}

function lead({ tumor }: Analysis, verdict: Verdict): string {
  if (verdict === "refuse") return t("findings.nothingToRead");
  if (verdict === "answer") return t("findings.nothingAgainst");
  if (!tumor) return t("findings.notClassified");
  const share = percent(tumor.probabilities[tumor.label] ?? 0);
  return t("findings.likeliest", { label: word("tumor", tumor.label), share });
}
