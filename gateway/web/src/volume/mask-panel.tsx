import { percent, t, word } from "../i18n";
import { colorName, type LabelColor } from "./labels";
import type { VolumeView } from "./view";

/** The outline: each label on and off, lines or areas, and how strong. */
export function MaskPanel({ view, labels }: { view: VolumeView; labels: readonly LabelColor[] }) {
  const on = view.masked.value;
  return (
    <fieldset class="volume-panel">
      <legend class="visually-hidden">{t("volume.outline")}</legend>
      <label class="volume-check">
        <input
          type="checkbox"
          data-testid="overlay-mask"
          checked={on}
          onChange={(event) => {
            view.masked.value = event.currentTarget.checked;
          }}
        />
        {t("volume.outline")}
      </label>
      <div class="volume-labels">
        {labels.map(({ name }) => (
          <label key={name} class="volume-check">
            <input
              type="checkbox"
              data-testid={`label-${name}`}
              disabled={!on}
              checked={!view.hidden.value.has(name)}
              onChange={() => view.toggle(name)}
            />
            <span class="volume-swatch" style={{ background: `var(${colorName(name)})` }} />
            {word("volume.label", name)}
          </label>
        ))}
      </div>
      <div class="volume-fill">
        <label class="volume-check">
          <input
            type="checkbox"
            data-testid="overlay-fill"
            disabled={!on}
            checked={view.filled.value}
            onChange={(event) => {
              view.filled.value = event.currentTarget.checked;
            }}
          />
          {t("volume.fill")}
        </label>
        <label class="volume-slider">
          <span class="visually-hidden">{t("volume.opacity")}</span>
          <input
            type="range"
            min={0.05}
            max={1}
            step={0.05}
            data-testid="mask-opacity"
            disabled={!on || !view.filled.value}
            value={view.opacity.value}
            onInput={(event) => {
              view.opacity.value = event.currentTarget.valueAsNumber;
            }}
          />
          <span class="volume-value">{percent(view.opacity.value)}</span>
        </label>
      </div>
      <label class="volume-check">
        <input
          type="checkbox"
          data-testid="overlay-diameters"
          checked={view.diameters.value}
          onChange={(event) => {
            view.diameters.value = event.currentTarget.checked;
          }}
        />
        <span class="volume-swatch diameter" />
        {t("volume.diametersShort")}
      </label>
    </fieldset>
  );
}
