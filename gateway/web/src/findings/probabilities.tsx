import { percent, t } from "../i18n";
import { Icon } from "../ui/icon";

export interface Bar {
  name: string;
  label: string;
  share: number;
  inSet: boolean;
}

/** Probabilities as bars, the largest first. Those in the set carry a bracket and a mark; the others are faint. */
export function Probabilities({ bars, testid, marked }: { bars: Bar[]; testid?: string; marked: boolean }) {
  const sorted = [...bars].sort((one, other) => other.share - one.share);
  return (
    <ul class="findings-bars">
      {sorted.map((bar) => (
        <li
          key={bar.name}
          class={bar.inSet ? "in-set" : undefined}
          data-testid={testid && `${testid}-${bar.name}`}
          data-value={bar.share}
          data-in-set={String(bar.inSet)}
        >
          <span class="findings-bar-name">
            {bar.label}
            {marked && bar.inSet && (
              <span class="findings-in-set">
                <Icon name="answer" size={12} />
                {t("findings.inSet")}
              </span>
            )}
            {marked && !bar.inSet && <span class="visually-hidden">{t("findings.outOfSet")}</span>}
          </span>
          <span class="findings-bar-value">{percent(bar.share)}</span>
          <span class="findings-bar-track" aria-hidden="true">
            <span style={{ inlineSize: `${Math.max(100 * bar.share, 0.6)}%` }} />
          </span>
        </li>
      ))}
    </ul>
  );
}
