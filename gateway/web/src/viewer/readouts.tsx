import { language, number, t } from "../i18n";
import { fitScale } from "./geometry";
import type { Gray } from "./picture";
import { paneAt, type Stage } from "./stage";

/** Window, level and zoom of what is seen. */
export function Readouts({ stage, picture }: { stage: Stage; picture: Gray }) {
  const { view, size } = stage;
  const scale = size.value.width > 0 ? fitScale(paneAt(stage), stage.shape) * view.zoom.value : 1;
  return (
    <>
      <Probe stage={stage} picture={picture} />
      <p class="ltr" data-testid="window-readout" title={t("viewer.windowReadout")}>
        W {number(view.window.value, 0)} L {number(view.level.value, 0)}
      </p>
      <p data-testid="zoom-readout">{t("viewer.zoomReadout", { zoom: wholePercent(scale) })}</p>
    </>
  );
}

function wholePercent(share: number): string {
  return new Intl.NumberFormat(language.value.code, { style: "percent", maximumFractionDigits: 0 }).format(
    share,
  );
}

/** The value under the probe, and where it is. */
function Probe({ stage, picture }: { stage: Stage; picture: Gray }) {
  const { marks, spacingMm } = stage;
  const at = marks.probe.value;
  if (!at) return null;
  const [row, column] = [Math.floor(at.y), Math.floor(at.x)];
  const value = picture.values[row * picture.columns + column] ?? 0;
  const [tall = 0, wide = 0] = spacingMm ?? [];
  return (
    <p class="viewer-probe" data-testid="probe-readout">
      <strong>{t("viewer.probeValue", { value })}</strong>
      <span>{t("viewer.probePlace", { row: number(row, 0), column: number(column, 0) })}</span>
      {spacingMm && (
        <span class="ltr">
          {number(row * tall)}, {number(column * wide)} mm
        </span>
      )}
    </p>
  );
}
