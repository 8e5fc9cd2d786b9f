import type { Analysis } from "../api/types";
import { number, t, word } from "../i18n";
import { digitsOf, fixed, isolated, quantity, span } from "./format";
import { LesionTable } from "./lesion-table";
import { type Measure, measuresOf } from "./measures";
import { Part } from "./part";

/** The outline's measures with their intervals. */
export function MeasuresPart({ analysis }: { analysis: Analysis }) {
  const outline = analysis.segmentation;
  if (!outline) {
    const clear = analysis.tumor?.label === "no_tumor";
    return (
      <Part title={t("findings.measures")}>
        <p class="quiet">{clear ? t("findings.noOutlineTumor") : t("findings.noOutline")}</p>
      </Part>
    );
  }
  const lesions = outline.volume?.lesions ?? [];
  return (
    <Part title={t("findings.measures")}>
      <dl class="findings-measures">
        {measuresOf(analysis).map((measure) => (
          <div key={measure.name} data-testid={`measure-${measure.name}`}>
            <dt>
              {measure.label && <i class={`findings-swatch ${measure.label}`} aria-hidden="true" />}
              {measure.label ? word("findings.label", measure.label) : word("findings.measure", measure.name)}
            </dt>
            <dd>
              <span>{written(measure)}</span>
              {measure.interval && (
                <small>
                  {t("findings.interval", {
                    span: span(measure.interval.low, measure.interval.high, measure.unit),
                    count: 100 * measure.interval.coverage,
                  })}
                </small>
              )}
            </dd>
          </div>
        ))}
      </dl>
      <div class="findings-notes">
        {analysis.input?.spacing_mm === null && <p>{t("findings.noSpacing")}</p>}
        {Object.entries(outline.substituted ?? {}).map(([missing, stand]) => (
          <p key={missing}>
            {t("findings.substituted", { missing: sequence(missing), stand: sequence(stand) })}
          </p>
        ))}
        {(outline.missing ?? []).length > 0 && (
          <p>{t("findings.empty", { names: (outline.missing ?? []).map(sequence).join(" · ") })}</p>
        )}
      </div>
      {lesions.length > 1 && <LesionTable lesions={lesions} />}
    </Part>
  );
}

function sequence(name: string): string {
  return word("findings.sequence", name);
}

function written({ numbers, unit, word: name }: Measure): string {
  if (name) return word("findings.side", name);
  const [first, ...rest] = numbers;
  if (first === undefined) return "";
  if (!unit) return number(first, 0);
  if (rest.length === 0) return quantity(first, unit);
  const digits = unit === "px" ? 0 : digitsOf(Math.max(...numbers));
  return isolated(`${numbers.map((value) => fixed(value, digits)).join(" × ")}\u00a0${unit}`);
}
