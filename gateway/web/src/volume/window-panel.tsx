import { t } from "../i18n";
import type { VolumeView } from "./view";

/** Window level and width in display values, as sliders and as numbers. */
export function WindowPanel({ view }: { view: VolumeView }) {
  const { low, high } = view.window.value;
  const level = Math.round((low + high) / 2);
  const width = Math.round(high - low);
  return (
    <fieldset class="volume-panel">
      <legend class="visually-hidden">{t("volume.window")}</legend>
      <Pair
        name="level"
        label={t("volume.level")}
        value={level}
        least={0}
        most={255}
        onValue={(value) => view.setWindow(value, width)}
      />
      <Pair
        name="width"
        label={t("volume.width")}
        value={width}
        least={1}
        most={510}
        onValue={(value) => view.setWindow(level, value)}
      />
    </fieldset>
  );
}

function Pair(props: {
  name: string;
  label: string;
  value: number;
  least: number;
  most: number;
  onValue: (value: number) => void;
}) {
  const { name, label, value, least, most, onValue } = props;
  const take = (entered: number) => {
    if (Number.isFinite(entered)) onValue(Math.min(most, Math.max(least, entered)));
  };
  return (
    <div class="volume-slider">
      <label for={`volume-${name}`}>{label}</label>
      <input
        id={`volume-${name}`}
        type="range"
        min={least}
        max={most}
        value={value}
        data-testid={`window-${name}`}
        onInput={(event) => take(event.currentTarget.valueAsNumber)}
      />
      <input
        class="input volume-number"
        type="number"
        dir="ltr"
        min={least}
        max={most}
        value={value}
        aria-label={label}
        onChange={(event) => take(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}
