import type { Estimate } from "./figures";

const HEIGHT = 22;
const HONEST_Y = 11;
const LEAKY_Y = 4;

/** A point with its interval on an axis; the careless one hollow above it. All of it stands beside as text. */
export function IntervalPlot({
  honest,
  leaky,
  axis,
}: {
  honest: Estimate;
  leaky: Estimate | null;
  axis: { from: number; to: number };
}) {
  const at = (value: number) => `${(100 * (value - axis.from)) / (axis.to - axis.from)}%`;
  return (
    <svg class="model-plot" width="100%" height={HEIGHT} aria-hidden="true">
      <line class="model-plot-axis" x1="0" x2="100%" y1={HONEST_Y} y2={HONEST_Y} />
      {leaky?.low !== null && leaky?.high !== null && leaky && (
        <line class="model-plot-leaky" x1={at(leaky.low)} x2={at(leaky.high)} y1={LEAKY_Y} y2={LEAKY_Y} />
      )}
      {leaky && <circle class="model-plot-leaky" cx={at(leaky.value)} cy={LEAKY_Y} r="3.2" />}
      {honest.low !== null && honest.high !== null && (
        <line
          class="model-plot-interval"
          x1={at(honest.low)}
          x2={at(honest.high)}
          y1={HONEST_Y}
          y2={HONEST_Y}
        />
      )}
      <circle class="model-plot-point" cx={at(honest.value)} cy={HONEST_Y} r="4.5" />
    </svg>
  );
}
