import type { ViewLabel } from "../api/types";
import { t, word } from "../i18n";
import { PLANES } from "./planes";

/** Axial, coronal or sagittal. */
export function PlaneChoice({ plane, onPlane }: { plane: ViewLabel; onPlane: (plane: ViewLabel) => void }) {
  return (
    <fieldset class="volume-group">
      <legend class="visually-hidden">{t("volume.plane")}</legend>
      {PLANES.map((name) => (
        <button
          key={name}
          type="button"
          class="button"
          data-testid={`plane-${name}`}
          aria-pressed={plane === name}
          onClick={() => onPlane(name)}
        >
          {word("view", name)}
        </button>
      ))}
    </fieldset>
  );
}
