import { t } from "../i18n";
import { dismiss, isOver, queue } from "./queue";
import { QueueItem } from "./queue-item";
import "./queue.css";

/** What was started, with how far each is. */
export function QueueList() {
  const entries = queue.value;
  if (entries.length === 0) return null;
  const over = entries.filter(isOver);
  return (
    <section class="queue panel stack" aria-label={t("analyze.queue")} data-testid="queue">
      <div class="row spread">
        <h2>{t("analyze.queue")}</h2>
        <p class="quiet small queue-count" role="status">
          {t("analyze.queueCount", { done: over.length, total: entries.length })}
        </p>
        {over.length > 0 && (
          <button type="button" class="button plain" onClick={() => dismiss(over.map(({ id }) => id))}>
            {t("analyze.clearFinished")}
          </button>
        )}
      </div>
      <ol class="queue-list">
        {entries.map((entry) => (
          <QueueItem key={entry.id} entry={entry} />
        ))}
      </ol>
    </section>
  );
}
