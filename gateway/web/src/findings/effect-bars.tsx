import type { Analysis } from "../api/types";
import { t, word } from "../i18n";
import { fixed, isolated, signed, type Unit } from "./format";

type Effect = NonNullable<Analysis["metadata_effect"]>;
type Change = Pick<Effect, "area_change_px" | "area_change_mm2" | "ml_change"> & {
  dice: number;
  name: string;
};

/** What the record does to the outline: bars to either side of "no change". */
export function EffectBars({ effect }: { effect: Effect }) {
  const whole: Change = { ...effect, dice: effect.dice_with_without, name: "" };
  const changes = [whole, ...effect.fields.map((field): Change => ({ ...field, name: field.field }))];
  const unit = unitOf(whole);
  const most = Math.max(...changes.map((change) => Math.abs(amount(change, unit))), 1e-9);
  return (
    <div>
      <h3 class="findings-chips-title">{t("findings.effect")}</h3>
      <ul class="findings-effects">
        {changes.map((change) => {
          const value = amount(change, unit);
          return (
            <li key={change.name}>
              <span>{change.name ? word("findings.field", change.name) : t("findings.effectAll")}</span>
              <span class="findings-effect-track" aria-hidden="true">
                <span
                  class={value < 0 ? "less" : "more"}
                  style={{ inlineSize: `${(50 * Math.abs(value)) / most}%` }}
                />
              </span>
              <span>{signed(value, unit)}</span>
              <span class="quiet small">
                {t("findings.effectDice", { value: isolated(fixed(change.dice, 3)) })}
              </span>
            </li>
          );
        })}
      </ul>
      <p class="findings-notes" dir="ltr" lang="en">
        {effect.summary}
      </p>
    </div>
  );
}

function unitOf(change: Change): Unit {
  if (change.ml_change !== null) return "ml";
  return change.area_change_mm2 !== null ? "mm²" : "px";
}

function amount(change: Change, unit: Unit): number {
  if (unit === "ml") return change.ml_change ?? 0;
  return unit === "mm²" ? (change.area_change_mm2 ?? 0) : change.area_change_px;
}
