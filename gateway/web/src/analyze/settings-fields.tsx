import { t, word } from "../i18n";
import { type Settings, USUAL } from "./request";
import { SelectField } from "./select-field";

const SEQUENCES = ["t1", "t1ce", "t2", "flair"] as const;
const SEGMENT = ["auto", "always", "never"] as const;
const PRIORITY = ["routine", "stat"] as const;

/** How to analyze; most readers leave it as it is. */
export function SettingsFields({
  settings,
  onChange,
}: {
  settings: Settings;
  onChange: (settings: Settings) => void;
}) {
  const changed = (Object.keys(USUAL) as Array<keyof Settings>).filter((key) => settings[key] !== USUAL[key]);
  const check = (key: "heatmap" | "explain_metadata") => (
    <label class="analyze-check">
      <input
        type="checkbox"
        checked={settings[key]}
        data-testid={`option-${key}`}
        onChange={(event) => onChange({ ...settings, [key]: event.currentTarget.checked })}
      />
      <span class="analyze-check-words">
        {word("analyze", key)}
        <span class="quiet small">{word("analyze", `${key}_hint`)}</span>
      </span>
    </label>
  );
  return (
    <details class="fold panel analyze-fold" data-testid="options-form">
      <summary>
        {t("analyze.options")}{" "}
        <span class="quiet small">
          {changed.length > 0 ? t("analyze.optionsChanged", { count: changed.length }) : t("analyze.usual")}
        </span>
      </summary>
      <div class="stack">
        <div class="analyze-fields">
          <SelectField
            id="option-segment"
            testId="option-segment"
            label={t("analyze.segment")}
            value={settings.segment}
            choices={SEGMENT.map((value): [string, string] => [value, word("analyze", `segment_${value}`)])}
            onChange={(value) => onChange({ ...settings, segment: value as Settings["segment"] })}
          />
          <SelectField
            id="option-sequence"
            testId="option-sequence"
            label={t("analyze.sequence")}
            value={settings.sequence}
            choices={[
              ["", t("analyze.sequenceByFile")],
              ...SEQUENCES.map((value): [string, string] => [value, word("analyze", `sequence_${value}`)]),
            ]}
            onChange={(sequence) => onChange({ ...settings, sequence })}
          />
          <SelectField
            id="option-priority"
            testId="option-priority"
            label={t("analyze.priority")}
            value={settings.priority}
            choices={PRIORITY.map((value): [string, string] => [value, word("analyze", `priority_${value}`)])}
            onChange={(value) => onChange({ ...settings, priority: value as Settings["priority"] })}
          />
        </div>
        {check("heatmap")}
        {check("explain_metadata")}
      </div>
    </details>
  );
}
