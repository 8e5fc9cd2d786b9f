import { useEffect, useRef, useState } from "preact/hooks";
import { api, ConnectionLost } from "../api/client";
import type { Analysis } from "../api/types";
import { t, word } from "../i18n";
import { lost } from "../shell/connection";
import { Icon } from "../ui/icon";
import { ProblemNotice } from "../ui/notice";
import { followJob, stepOf } from "./follow-job";
import "./job-progress.css";
import { ProgressBar } from "./progress-bar";
import { stagesOf } from "./stages";

/** How far a job is; `onEnd` is called when it is finished, failed or canceled. */
export function JobProgress({ analysis, onEnd }: { analysis: Analysis; onEnd: () => void }) {
  const [step, setStep] = useState(() => stepOf(analysis));
  const [error, setError] = useState<unknown>(null);
  const [isEnding, setEnding] = useState(false);
  const seen = useRef(new Set<string>());
  const ended = useRef(onEnd);
  ended.current = onEnd;

  useEffect(() => {
    seen.current = new Set();
    const tell = (next: ReturnType<typeof stepOf>) => {
      if (next.stage && next.state !== "queued") seen.current.add(next.stage);
      setStep(next);
    };
    return followJob(analysis.id, tell, () => ended.current());
  }, [analysis.id]);

  async function cancel() {
    setEnding(true);
    setError(null);
    try {
      await api.cancel(analysis.id);
      ended.current();
    } catch (caught) {
      if (caught instanceof ConnectionLost) lost();
      setError(caught);
      setEnding(false);
    }
  }

  const isWaiting = step.state === "queued";
  const stage = step.stage ?? "decode";
  return (
    <section class="job-progress stack" aria-label={t("analyze.progress")} data-state={step.state}>
      <h2 aria-live="polite">{isWaiting ? t("analyze.waiting") : word("stage", stage)}</h2>
      {isWaiting ? (
        <p class="quiet">{t("analyze.waitingHint")}</p>
      ) : (
        <div class="job-progress-count">
          <ProgressBar stage={stage} done={step.done} total={step.total} />
          {step.total > 1 && (
            <span class="quiet small">{t("analyze.stepsShort", { done: step.done, total: step.total })}</span>
          )}
        </div>
      )}
      <ol class="job-progress-stages">
        {stagesOf(step, seen.current).map(([name, state]) => (
          <li key={name} class={state} aria-current={state === "current" ? "step" : undefined}>
            <span class="job-progress-mark">
              {state === "done" && <Icon name="answer" size={14} />}
              {state === "current" && <span class="job-progress-dot" />}
            </span>
            {word("stage", name)}
            {state === "done" && <span class="visually-hidden">{t("analyze.done")}</span>}
          </li>
        ))}
      </ol>
      {error !== null && <ProblemNotice error={error} />}
      <div>
        <button class="button" type="button" data-testid="cancel" disabled={isEnding} onClick={cancel}>
          {t("analyze.cancel")}
        </button>
      </div>
    </section>
  );
}
