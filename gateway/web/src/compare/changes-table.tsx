import type { Comparison } from "../api/types";
import { percent, t, word } from "../i18n";
import {
  amount,
  type Change,
  type Judgment,
  judge,
  listChanges,
  signedAmount,
  signedPercent,
  UNITS,
} from "./format";

const SHAPES: Record<Judgment, string> = { beyondGrown: "▲", beyondShrunk: "▼", within: "≈", unknown: "–" };

/** Each measure at both times, how it changed, and whether that is more than the measuring error. */
export function ChangesTable({ comparison }: { comparison: Comparison }) {
  const heads = {
    baseline: t("compare.baseline"),
    followup: t("compare.followup"),
    change: t("compare.change"),
    interval: t("compare.interval"),
    judged: t("compare.judged"),
  };
  return (
    <table class="plain compare-changes">
      <thead>
        <tr>
          <th scope="col">{t("compare.measure")}</th>
          {Object.entries(heads).map(([key, head]) => (
            <th key={key} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {listChanges(comparison).map(({ name, change }) => (
          <tr key={name} data-testid={`change-${name}`}>
            <th scope="row">{word("compare.name", name)}</th>
            <td data-head={heads.baseline}>
              <Amount value={change.baseline} unit={change.unit} />
            </td>
            <td data-head={heads.followup}>
              <Amount value={change.followup} unit={change.unit} />
            </td>
            <td data-head={heads.change}>
              <span class="ltr">
                {signedAmount(change.change, change.unit)} {UNITS[change.unit]}
                {change.change_percent !== null && ` (${signedPercent(change.change_percent)})`}
              </span>
            </td>
            <td data-head={heads.interval}>
              <IntervalWords change={change} />
            </td>
            <td data-head={heads.judged}>
              <span class={`compare-judged ${judge(change)}`}>
                <span aria-hidden="true">{SHAPES[judge(change)]}</span>
                {t(`compare.${judge(change)}`)}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Amount({ value, unit }: { value: number; unit: Change["unit"] }) {
  return (
    <span class="ltr">
      {amount(value, unit)} {UNITS[unit]}
    </span>
  );
}

function IntervalWords({ change }: { change: Change }) {
  const interval = change.change_interval;
  if (!interval) return <span class="quiet">{t("compare.unknown")}</span>;
  return (
    <>
      <span class="ltr">
        {signedAmount(interval.low, change.unit)} … {signedAmount(interval.high, change.unit)}{" "}
        {UNITS[change.unit]}
      </span>{" "}
      <span class="quiet small compare-coverage">
        {interval.coverage > 0
          ? t("compare.coverage", { share: percent(interval.coverage) })
          : t("compare.noCoverage")}
      </span>
    </>
  );
}
