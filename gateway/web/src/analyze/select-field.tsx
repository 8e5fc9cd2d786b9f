/** A labeled choice; `choices` are [value, words]. */
export function SelectField({
  id,
  label,
  value,
  choices,
  onChange,
  testId,
}: {
  id: string;
  label: string;
  value: string;
  choices: ReadonlyArray<readonly [string, string]>;
  onChange: (value: string) => void;
  testId?: string;
}) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        class="input"
        data-testid={testId}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {choices.map(([key, words]) => (
          <option key={key} value={key}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}
