import type { Analysis } from "../api/types";
import { number, t, word } from "../i18n";
import { Icon } from "../ui/icon";
import { EffectBars } from "./effect-bars";
import { Part } from "./part";
import { fieldsOf, type RecordField } from "./record";

/** What was known of the patient, what was filled in, and whether it mattered. */
export function ClinicalPart({ analysis }: { analysis: Analysis }) {
  const { clinical, segmentation: outline, metadata_effect: effect } = analysis;
  if (!clinical) return null;
  const fields = fieldsOf(clinical);
  const given = fields.filter((field) => !field.imputed);
  const imputed = fields.filter((field) => field.imputed);
  return (
    <Part title={t("findings.clinical")}>
      {outline && <p class="small">{use(outline)}</p>}
      <div data-testid="clinical-used">
        <h3 class="findings-chips-title">{t("findings.given")}</h3>
        {given.length > 0 ? <Chips fields={given} /> : <p class="quiet small">{t("findings.noneGiven")}</p>}
      </div>
      {imputed.length > 0 && (
        <div data-testid="clinical-imputed">
          <h3 class="findings-chips-title">{t("findings.imputed")}</h3>
          <Chips fields={imputed} />
        </div>
      )}
      <div class="findings-notes">
        {fields.some((field) => field.scaled !== null) && <p>{t("findings.scaledHint")}</p>}
        {(clinical.warnings ?? []).map((warning) => (
          <p key={warning} dir="ltr" lang="en">
            {warning}
          </p>
        ))}
      </div>
      {effect && <EffectBars effect={effect} />}
    </Part>
  );
}

function use(outline: NonNullable<Analysis["segmentation"]>): string {
  if (outline.clinical_used) return t("findings.clinicalUsed");
  return outline.clinical_left_out ? t("findings.clinicalLeftOut") : t("findings.clinicalNotUsed");
}

function Chips({ fields }: { fields: RecordField[] }) {
  return (
    <ul class="findings-chips">
      {fields.map((field) => (
        <li key={field.name} class={field.imputed ? "imputed" : undefined}>
          {!field.imputed && <Icon name="answer" size={12} />}
          <span class="quiet">{word("findings.field", field.name)}</span>
          <span>{value(field)}</span>
        </li>
      ))}
    </ul>
  );
}

function value(field: RecordField): string {
  if (field.category !== null) return word("featureNames", field.category);
  return field.scaled === null ? "–" : t("findings.scaled", { value: number(field.scaled, 2) });
}
