import type { Reason } from "../api/types";
import { number, percent, t, word } from "../i18n";
import { quantity } from "./format";
import { type Gauge, gaugeOf } from "./gauge";

/** One reason: its name, the gateway's words, and the number behind it beside its limit. */
export function ReasonItem({ reason }: { reason: Reason }) {
  const gauge = gaugeOf(reason);
  return (
    <li data-testid="reason" data-code={reason.code}>
      <h2>{word("reason", reason.code)}</h2>
      <p class="small" dir="ltr" lang="en">
        {reason.detail}
      </p>
      {gauge && <GaugeBar gauge={gauge} />}
    </li>
  );
}

function GaugeBar({ gauge }: { gauge: Gauge }) {
  const place = (value: number) => `${(100 * Math.min(value, gauge.end)) / gauge.end}%`;
  return (
    <div class="findings-gauge">
      <div class="findings-gauge-track" aria-hidden="true">
        <span style={{ inlineSize: place(gauge.value) }} />
        <i style={{ insetInlineStart: place(gauge.limit) }} />
      </div>
      <p class="small">
        {t("findings.measured", { value: written(gauge, gauge.value), limit: written(gauge, gauge.limit) })}
      </p>
    </div>
  );
}

function written({ unit }: Gauge, value: number): string {
  if (unit === "share") return percent(value);
  return unit === "mm2" ? quantity(value, "mm²") : number(value, unit === "labels" ? 0 : 2);
}
