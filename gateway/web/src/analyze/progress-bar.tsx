import { number, t, word } from "../i18n";

/** The steps of one stage. A stage of a single step has no share to show: the bar then moves by itself. */
export function ProgressBar({ stage, done, total }: { stage: string; done: number; total: number }) {
  const name = word("stage", stage);
  const isCounted = total > 1;
  const text = isCounted ? t("analyze.steps", { stage: name, done, total }) : name;
  return (
    <div
      class={`track progress-bar ${isCounted ? "" : "restless"}`}
      role="progressbar"
      aria-label={t("analyze.progress")}
      aria-valuemin={0}
      aria-valuemax={isCounted ? total : undefined}
      aria-valuenow={isCounted ? done : undefined}
      aria-valuetext={text}
      data-testid="progress"
      data-stage={stage}
      title={isCounted ? `${number(done)} / ${number(total)}` : undefined}
    >
      <span style={{ width: isCounted ? `${(100 * done) / total}%` : "35%" }} />
    </div>
  );
}
