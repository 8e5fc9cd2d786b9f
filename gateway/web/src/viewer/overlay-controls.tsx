import type { Signal } from "@preact/signals";
import { useId } from "preact/hooks";
import { number, percent, t } from "../i18n";
import { evidenceGradient } from "./lut";
import "./overlay-controls.css";

/** A checkbox with its words. `swatch` is the color of what it shows, as a token. */
function OverlayToggle({
  label,
  testid,
  value,
  swatch,
}: {
  label: string;
  testid: string;
  value: Signal<boolean>;
  swatch?: string;
}) {
  return (
    <label class="overlay-toggle">
      <input
        type="checkbox"
        data-testid={testid}
        checked={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.checked;
        }}
      />
      {swatch && <span class="overlay-swatch" style={{ background: `var(${swatch})` }} />}
      {label}
    </label>
  );
}

/** How strongly something covers the scan; to move it shows that. */
function OpacitySlider({
  label,
  testid,
  value,
  shown,
}: {
  label: string;
  testid: string;
  value: Signal<number>;
  shown: Signal<boolean>;
}) {
  return (
    <input
      class={`overlay-opacity${shown.value ? "" : " off"}`}
      type="range"
      min="0.05"
      max="1"
      step="0.05"
      aria-label={label}
      aria-valuetext={percent(value.value)}
      title={`${label}: ${percent(value.value)}`}
      data-testid={testid}
      value={value.value}
      onInput={(event) => {
        value.value = event.currentTarget.valueAsNumber;
        shown.value = true;
      }}
    />
  );
}

/** The colors of the heat map, from weak to strong; `finding` is what the evidence is for. */
function EvidenceBar({ finding }: { finding: string }) {
  const id = useId();
  return (
    <figure class="overlay-evidence" aria-labelledby={id} data-testid="color-bar">
      <span class="ltr overlay-ramp">
        <span>{number(0)}</span>
        <span class="overlay-gradient" style={{ backgroundImage: evidenceGradient() }} />
        <span>{number(1)}</span>
      </span>
      <figcaption id={id}>{t("viewer.evidence", { finding })}</figcaption>
    </figure>
  );
}

export interface OverlaySignals {
  mask: Signal<boolean>;
  fill: Signal<boolean>;
  maskOpacity: Signal<number>;
  heat: Signal<boolean>;
  heatOpacity: Signal<number>;
  diameters: Signal<boolean>;
}

/** What is drawn over a scan: what is not there has no control. */
export function OverlayControls({
  view,
  finding,
  outlined,
  measured,
  mapped,
}: {
  view: OverlaySignals;
  /** What the heat map is evidence for, in words. */
  finding: string;
  outlined: boolean;
  measured: boolean;
  mapped: boolean;
}) {
  const id = useId();
  if (!outlined && !mapped) return null;
  return (
    <fieldset class="overlay-controls" aria-labelledby={id}>
      <span id={id} class="visually-hidden">
        {t("viewer.overlays")}
      </span>
      {outlined && (
        <div class="overlay-row">
          <OverlayToggle
            label={t("viewer.outline")}
            testid="overlay-mask"
            value={view.mask}
            swatch="--outline"
          />
          {measured && (
            <OverlayToggle
              label={t("viewer.diameters")}
              testid="overlay-diameters"
              value={view.diameters}
              swatch="--diameter"
            />
          )}
          <span class="overlay-pair">
            <OverlayToggle label={t("viewer.fill")} testid="overlay-fill" value={view.fill} />
            <OpacitySlider
              label={t("viewer.fillOpacity")}
              testid="mask-opacity"
              value={view.maskOpacity}
              shown={view.fill}
            />
          </span>
        </div>
      )}
      {mapped && (
        <div class="overlay-row">
          <span class="overlay-pair">
            <OverlayToggle label={t("viewer.heat")} testid="overlay-heat" value={view.heat} />
            <OpacitySlider
              label={t("viewer.heatOpacity")}
              testid="heat-opacity"
              value={view.heatOpacity}
              shown={view.heat}
            />
          </span>
          {view.heat.value && <EvidenceBar finding={finding} />}
        </div>
      )}
    </fieldset>
  );
}
