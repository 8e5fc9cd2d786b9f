import { ApiProblem, ConnectionLost } from "../api/client";
import type { Analysis } from "../api/types";
import { t, word } from "../i18n";
import { Icon } from "../ui/icon";
import { ProblemNotice } from "../ui/notice";
import { VerdictChip } from "../ui/verdict-chip";
import { ProgressBar } from "./progress-bar";
import { again, cancel, dismiss, type Entry, goOn, isOver } from "./queue";

/** One started exam: how far it is, or what came of it. */
export function QueueItem({ entry }: { entry: Entry }) {
  const { analysis, exam, state } = entry;
  const failure = failureOf(entry);
  const thumbnail = analysis?.links.thumbnail;
  return (
    <li class="queue-item" data-testid="queue-item" data-state={state}>
      <span class="queue-picture">
        {thumbnail ? <img src={thumbnail} alt="" loading="lazy" /> : <StateMark state={state} />}
      </span>
      <div class="queue-words">
        <p class="queue-title ltr">{exam.title}</p>
        <QueueState entry={entry} />
      </div>
      <div class="queue-actions">
        {analysis && state !== "failed" && (
          <a class="button" href={`/analyses/${analysis.id}`}>
            {t("analyze.open")}
          </a>
        )}
        {!isOver(entry) && (
          <button
            type="button"
            class="button plain"
            data-testid="cancel"
            onClick={() => void cancel(entry.id)}
          >
            {t("analyze.cancel")}
          </button>
        )}
        {state === "canceled" || (isOver(entry) && failure !== null && mayPass(failure)) ? (
          <button type="button" class="button" data-testid="retry" onClick={() => again(entry.id)}>
            {t("shell.retry")}
          </button>
        ) : null}
        {isOver(entry) && (
          <button
            type="button"
            class="button plain icon"
            aria-label={t("analyze.remove", { name: exam.title })}
            title={t("analyze.removeShort")}
            onClick={() => dismiss([entry.id])}
          >
            <Icon name="close" size={16} />
          </button>
        )}
      </div>
      {failure !== null && (
        <div class="queue-problem">
          <ProblemNotice
            error={failure}
            {...(failure instanceof ConnectionLost && { onRetry: () => goOn(entry.id) })}
          />
        </div>
      )}
    </li>
  );
}

function QueueState({ entry: { analysis, state } }: { entry: Entry }) {
  if (state === "running" && analysis) {
    const { stage, done, total } = analysis.progress;
    return (
      <div class="queue-progress">
        <span class="small quiet">{word("stage", stage)}</span>
        <ProgressBar stage={stage} done={done} total={total} />
      </div>
    );
  }
  if (state === "succeeded" && analysis) {
    return (
      <p class="row small">
        {analysis.tumor && <span>{word("tumor", analysis.tumor.label)}</span>}
        {analysis.verdict && <VerdictChip verdict={analysis.verdict} />}
      </p>
    );
  }
  return <p class="quiet small">{word("analyze", `state_${state}`, word("state", state))}</p>;
}

function StateMark({ state }: { state: Entry["state"] }) {
  if (state === "refused" || state === "failed") return <Icon name="refuse" />;
  if (state === "canceled") return <Icon name="close" />;
  if (state === "succeeded") return <Icon name="answer" />;
  if (state === "sending" || state === "running") return <span class="spinner" />;
  return <span class="queue-waiting" />;
}

/** Whether the same files may be accepted another time: not where they are what is wrong. */
function mayPass(failure: unknown): boolean {
  return !(failure instanceof ApiProblem) || ![413, 415, 422].includes(failure.status);
}

function failureOf(entry: Entry): unknown {
  const { state, error, analysis } = entry;
  if (state === "refused") return error;
  // Told until the gateway answers, whatever is tried meanwhile.
  if (error instanceof ConnectionLost && !isOver(entry)) return error;
  return state === "failed" && analysis?.problem ? problemOf(analysis.problem) : null;
}

function problemOf(problem: NonNullable<Analysis["problem"]>): ApiProblem {
  const { status, code, title, detail, request_id } = problem;
  return new ApiProblem(status, code, title, detail, request_id ?? null, null);
}
