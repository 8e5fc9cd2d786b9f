import type { Decision } from "../api/types";
import { t, word } from "../i18n";
import { Icon, type IconName } from "../ui/icon";

const DECISIONS: ReadonlyArray<readonly [Decision, IconName]> = [
  ["agree", "answer"],
  ["disagree", "close"],
  ["corrected", "reset"],
];

/** The three answers of a reader, as radio buttons that look like cards. */
export function DecisionCards({
  chosen,
  onChoose,
}: {
  chosen: Decision | null;
  onChoose: (decision: Decision) => void;
}) {
  return (
    <fieldset class="review-cards">
      <legend class="visually-hidden">{t("review.decision")}</legend>
      {DECISIONS.map(([decision, icon]) => (
        <label key={decision} class={chosen === decision ? "chosen" : undefined}>
          <input
            type="radio"
            name="decision"
            value={decision}
            checked={chosen === decision}
            data-testid={`review-${decision}`}
            onChange={() => onChoose(decision)}
          />
          <Icon name={icon} size={18} />
          <span>{word("review", decision)}</span>
        </label>
      ))}
    </fieldset>
  );
}
