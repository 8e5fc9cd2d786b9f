import type { Analysis } from "../api/types";
import { t, word } from "../i18n";
import { Part } from "./part";
import { Probabilities } from "./probabilities";

/** The plane, what says so, and the view model's probabilities. */
export function ViewPart({ analysis }: { analysis: Analysis }) {
  const { view } = analysis;
  if (!view) return null;
  const source = view.source ?? "model";
  const bars = Object.entries(view.probabilities).map(([name, share]) => ({
    name,
    label: word("view", name),
    share: share ?? 0,
    inSet: name === view.label,
  }));
  return (
    <Part title={t("findings.view")} aside={word("findings.source", source)}>
      <p class="findings-plane" data-testid="view">
        {word("view", view.label)}
      </p>
      <Probabilities bars={bars} marked={false} />
      {source !== "model" && <p class="findings-notes">{t("findings.viewModel")}</p>}
    </Part>
  );
}
