import type { ComponentChildren } from "preact";
import { ApiProblem, ConnectionLost } from "../api/client";
import { t } from "../i18n";
import { Icon } from "./icon";

type Tone = "error" | "warning" | "info";

/** A message with a title and what to do. Errors are read out at once. */
export function Notice({
  tone,
  title,
  children,
}: {
  tone: Tone;
  title?: string;
  children?: ComponentChildren;
}) {
  return (
    <div
      class={`notice ${tone}`}
      role={tone === "error" ? "alert" : "status"}
      data-testid={tone === "error" ? "problem" : undefined}
    >
      <Icon name={tone === "error" ? "refuse" : tone === "warning" ? "review" : "info"} />
      <div class="stack" style={{ gap: "0.25rem" }}>
        {title && <strong>{title}</strong>}
        {children}
      </div>
    </div>
  );
}

/** A refusal of the gateway as it says it: what is wrong, and what to do. Its details are in English, as they come. */
export function ProblemNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const retry = onRetry && (
    <div>
      <button class="button" type="button" onClick={onRetry}>
        {t("shell.retry")}
      </button>
    </div>
  );
  if (error instanceof ApiProblem) {
    return (
      <Notice tone="error" title={error.title}>
        <p dir="ltr" lang="en">
          {error.detail}
        </p>
        {error.fields.map((entry) => (
          <p dir="ltr" lang="en" key={entry.field}>
            <code>{entry.field}</code>: {entry.detail}
          </p>
        ))}
        {error.retryAfterS !== null && <p>{t("problem.retryAfter", { seconds: error.retryAfterS })}</p>}
        {error.requestId && <p class="quiet small">{t("problem.request", { id: error.requestId })}</p>}
        {retry}
      </Notice>
    );
  }
  if (error instanceof ConnectionLost) {
    return (
      <Notice tone="error" title={t("problem.lost")}>
        <p>{t("problem.lostHint")}</p>
        {retry}
      </Notice>
    );
  }
  return (
    <Notice tone="error" title={error instanceof Error ? error.message : String(error)}>
      {retry}
    </Notice>
  );
}
