import { number, t, word } from "../i18n";
import { slug } from "./card";
import type { Estimate, Figure, Panel } from "./figures";
import { digitsFor, ticks, figure as written } from "./format";
import { IntervalPlot } from "./interval-plot";
import { PlotMark } from "./plot-mark";

/** Figures on one axis, each as a plot and as text. */
export function FigurePanel({ panel }: { panel: Panel }) {
  const { axis } = panel;
  return (
    <div class="model-panel">
      <ul>
        {panel.figures.map((figure) => (
          <FigureRow key={figure.name} figure={figure} axis={axis} />
        ))}
      </ul>
      <p class="model-axis ltr" aria-hidden="true">
        {ticks(axis).map((tick, place) => (
          <span key={`${place}-${tick}`}>{tick}</span>
        ))}
      </p>
    </div>
  );
}

function FigureRow({ figure, axis }: { figure: Figure; axis: Panel["axis"] }) {
  const { slices, groups, leaky } = figure;
  const counted =
    slices !== null && groups !== null
      ? t("modelsPage.counted", { slices: number(slices, 0), groups: number(groups, 0) })
      : undefined;
  return (
    <li class="model-figure" title={counted}>
      <span class="model-figure-name">{word("modelsPage.figure", slug(figure.name), figure.name)}</span>
      <IntervalPlot honest={figure} leaky={leaky} axis={axis} />
      <span class="model-figure-value">
        <span>
          <Written estimate={figure} />
        </span>
        {leaky && (
          <span class="model-figure-leaky">
            <span class="visually-hidden">{t("modelsPage.careless")}</span>
            <PlotMark kind="leaky" />
            <Written estimate={leaky} />
          </span>
        )}
        {counted && <span class="visually-hidden">{counted}</span>}
      </span>
    </li>
  );
}

/** The value and its interval, with as many digits as one another. */
function Written({ estimate: { value, low, high } }: { estimate: Estimate }) {
  if (low === null || high === null) return <strong>{written(value)}</strong>;
  const digits = digitsFor([value, low, high]);
  return (
    <>
      <strong>{written(value, digits)}</strong>{" "}
      <span class="quiet">
        {t("modelsPage.range", { low: written(low, digits), high: written(high, digits) })}
      </span>
    </>
  );
}
