import { t, word } from "../i18n";
import { Notice } from "../ui/notice";
import { isAge, NO_RECORD, type RecordDraft, recordOf } from "./request";
import { SelectField } from "./select-field";

// The categories that the clinical model knows; the words are those that the gateway takes.
const CHOICES = {
  sex: ["female", "male", "other"],
  who_grade: ["1", "2", "3", "4"],
  histological_type: ["astrocytoma", "oligoastrocytoma", "oligodendroglioma"],
  race: [
    "white",
    "black or african american",
    "asian",
    "american indian or alaska native",
    "native hawaiian or other pacific islander",
    "other",
  ],
  ethnicity: ["hispanic or latino", "not hispanic or latino"],
} as const;
type Chosen = keyof typeof CHOICES;
const TEST_IDS: Record<Chosen, string> = {
  sex: "clinical-sex",
  who_grade: "clinical-grade",
  histological_type: "clinical-histology",
  race: "clinical-race",
  ethnicity: "clinical-ethnicity",
};

/** The optional clinical record. `examCount`: it goes with all of them, which is said. */
export function RecordFields({
  draft,
  examCount,
  onChange,
}: {
  draft: RecordDraft;
  examCount: number;
  onChange: (draft: RecordDraft) => void;
}) {
  const given = Object.keys(recordOf(draft) ?? {}).length;
  const choose = (field: Chosen) => (
    <SelectField
      key={field}
      id={`record-${field}`}
      testId={TEST_IDS[field]}
      label={word("analyze", `record_${field}`)}
      value={draft[field]}
      choices={[
        ["", t("analyze.notKnown")],
        ...CHOICES[field].map((value): [string, string] => [value, wordOf(field, value)]),
      ]}
      onChange={(value) => onChange({ ...draft, [field]: value })}
    />
  );
  return (
    <details class="fold panel analyze-fold" data-testid="clinical-form">
      <summary>
        {t("analyze.record")}{" "}
        <span class="quiet small">
          {given > 0 ? t("analyze.recordGiven", { count: given }) : t("analyze.optional")}
        </span>
      </summary>
      <div class="stack">
        <p class="quiet small">{t("analyze.recordHint")}</p>
        <div class="analyze-fields">
          <div class="field">
            <label for="record-age">{t("analyze.record_age")}</label>
            <input
              id="record-age"
              class="input"
              type="number"
              inputMode="decimal"
              step="any"
              aria-invalid={!isAge(draft.age)}
              aria-describedby={isAge(draft.age) ? undefined : "record-age-fault"}
              data-testid="clinical-age"
              value={draft.age}
              onInput={(event) => onChange({ ...draft, age: event.currentTarget.value })}
            />
            {!isAge(draft.age) && (
              <p id="record-age-fault" class="small analyze-fault" role="alert">
                {t("analyze.ageFault")}
              </p>
            )}
          </div>
          {choose("sex")}
          {choose("who_grade")}
          {choose("histological_type")}
        </div>
        <details class="fold">
          <summary class="quiet small">{t("shell.more")}</summary>
          <div class="analyze-fields">
            {choose("race")}
            {choose("ethnicity")}
          </div>
        </details>
        {given > 0 && examCount > 1 && (
          <Notice tone="warning">
            <p>{t("analyze.recordForAll", { count: examCount })}</p>
          </Notice>
        )}
        {given > 0 && (
          <div>
            <button type="button" class="button" onClick={() => onChange(NO_RECORD)}>
              {t("analyze.recordClear")}
            </button>
          </div>
        )}
      </div>
    </details>
  );
}

function wordOf(field: Chosen, value: string): string {
  return word("analyze", `${field}_${value.replaceAll(" ", "_")}`, value);
}
