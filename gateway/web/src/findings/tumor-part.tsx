import type { Analysis, TumorLabel } from "../api/types";
import { number, percent, t, word } from "../i18n";
import { Part } from "./part";
import { Probabilities } from "./probabilities";

/** The types with their probabilities, the prediction set, and what it promises. */
export function TumorPart({ analysis }: { analysis: Analysis }) {
  const { tumor, key_slice: key } = analysis;
  if (!tumor) {
    return (
      <Part title={t("findings.tumor")}>
        <p class="quiet">{t("findings.notClassified")}</p>
      </Part>
    );
  }
  const bars = Object.entries(tumor.probabilities).map(([name, share]) => ({
    name,
    label: word("tumor", name),
    share: share ?? 0,
    inSet: tumor.prediction_set.includes(name as TumorLabel),
  }));
  return (
    <Part title={t("findings.tumor")}>
      <Probabilities bars={bars} testid="probability" marked />
      <div class="findings-notes">
        {tumor.prediction_set.length > 1 && (
          <p>
            {t("findings.set", {
              labels: tumor.prediction_set.map((name) => word("tumor", name)).join(" · "),
            })}
          </p>
        )}
        <p>{promise(analysis)}</p>
        <p>{t("findings.present", { share: percent(tumor.present_probability) })}</p>
        {key && (
          <p>
            {t("findings.keySlice", {
              view: word("view", key.plane),
              index: number(key.index + 1),
              count: number(key.of),
            })}
          </p>
        )}
        {(tumor.warnings ?? []).map((warning) => (
          <p key={warning} dir="ltr" lang="en">
            {warning}
          </p>
        ))}
      </div>
    </Part>
  );
}

function promise({ tumor, input, reasons }: Analysis): string {
  if (!tumor || tumor.coverage >= 1) return t("findings.noCoverage");
  const chosen = reasons.some((reason) => reason.code === "not_calibrated");
  if (chosen) return input?.kind === "slice" ? t("findings.noCoverage") : t("findings.chosenSlice");
  if (tumor.prediction_set.length === 0) return t("findings.setEmpty");
  return t("findings.coverage", { count: 100 * tumor.coverage });
}
