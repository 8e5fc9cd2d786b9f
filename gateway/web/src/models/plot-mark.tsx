/** The mark of a plot, for its legend: full for the honest figure, hollow for the careless one. */
export function PlotMark({ kind }: { kind: "point" | "leaky" }) {
  return (
    <svg class="model-mark" width="12" height="12" aria-hidden="true">
      <circle class={`model-plot-${kind}`} cx="6" cy="6" r={kind === "point" ? 4.5 : 3.5} />
    </svg>
  );
}
