import { t } from "../i18n";
import { figure } from "./format";

const WIDTH = 320;
const HEIGHT = 72;
const EDGE = 4;

/** The training loss as a line, and in words. */
export function LossPlot({ losses }: { losses: number[] }) {
  const first = losses[0] ?? 0;
  const last = losses.at(-1) ?? 0;
  const most = Math.max(...losses);
  const step = (WIDTH - 2 * EDGE) / Math.max(losses.length - 1, 1);
  const points = losses.map((loss, place) => {
    const y = HEIGHT - EDGE - ((HEIGHT - 2 * EDGE) * loss) / most;
    return `${(EDGE + place * step).toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <figure class="model-loss">
      <figcaption class="quiet small">
        {t("modelsPage.loss")}.{" "}
        {t("modelsPage.lossText", { first: figure(first), last: figure(last), count: losses.length })}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        <line x1={EDGE} x2={WIDTH - EDGE} y1={HEIGHT - EDGE} y2={HEIGHT - EDGE} />
        <polyline points={points.join(" ")} />
      </svg>
    </figure>
  );
}
