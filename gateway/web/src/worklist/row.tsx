import type { Analysis } from "../api/types";
import { moment, t, word } from "../i18n";
import { Icon } from "../ui/icon";
import { VerdictChip } from "../ui/verdict-chip";
import { decisionOf, scanOf, shortId, sizeOf } from "./summary";

export interface RowProps {
  analysis: Analysis;
  /** From 0. */
  index: number;
  top_px: number;
  height_px: number;
  isActive: boolean;
  isSelected: boolean;
  onFocus: (index: number) => void;
  onSelect: (id: string) => void;
  onDelete: (analysis: Analysis) => void;
}

/** One analysis. The keys of a row are its list's. */
export function Row({
  analysis,
  index,
  top_px,
  height_px,
  isActive,
  isSelected,
  onFocus,
  onSelect,
  onDelete,
}: RowProps) {
  const { id, state } = analysis;
  const tabIndex = isActive ? 0 : -1;
  const finding = findingOf(analysis);
  return (
    <tr
      class={`worklist-row ${isSelected ? "selected" : ""}`}
      data-testid="worklist-row"
      data-id={id}
      data-state={state}
      data-index={index}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      tabIndex={tabIndex}
      style={{ top: `${top_px}px`, height: `${height_px}px` }}
      // Of its controls too: a click on one makes the row the one that keys mean.
      onFocusIn={() => onFocus(index)}
    >
      <td class="worklist-select">
        <input
          type="checkbox"
          tabIndex={tabIndex}
          aria-label={t("worklistPage.select", { name: finding })}
          data-testid={`select-${id}`}
          checked={isSelected}
          onChange={() => onSelect(id)}
        />
      </td>
      <td class="worklist-picture">
        <Picture analysis={analysis} />
      </td>
      <td class="worklist-finding">
        <a
          href={`/analyses/${id}`}
          class={analysis.verdict === "answer" || analysis.verdict === "review" ? "" : "unsaid"}
          tabIndex={tabIndex}
        >
          {finding}
        </a>
      </td>
      <td class="worklist-result">
        <Result analysis={analysis} />
      </td>
      <td class="worklist-scan">
        <span>{scanOf(analysis)}</span>
        <span class="quiet small ltr">{sizeOf(analysis)}</span>
      </td>
      <td class="worklist-when">
        <time dateTime={analysis.created_at}>{moment(analysis.created_at)}</time>
      </td>
      <td class="worklist-review">
        <ReviewMark analysis={analysis} />
      </td>
      <td class="worklist-id ltr mono quiet" title={id}>
        {shortId(id)}
      </td>
      <td class="worklist-delete">
        <button
          type="button"
          class="button plain icon"
          tabIndex={tabIndex}
          aria-label={t("worklistPage.deleteOne", { name: finding })}
          title={t("worklistPage.delete")}
          data-testid={`delete-${id}`}
          onClick={() => onDelete(analysis)}
        >
          <Icon name="trash" size={18} />
        </button>
      </td>
    </tr>
  );
}

function findingOf({ tumor, state, problem }: Analysis): string {
  if (tumor) return word("tumor", tumor.label);
  if (state === "failed" && problem) return problem.title;
  return t(
    state === "queued" || state === "running" ? "worklistPage.noFindingYet" : "worklistPage.noFinding",
  );
}

function Picture({ analysis: { links, state } }: { analysis: Analysis }) {
  const thumbnail = links.thumbnail;
  if (thumbnail) return <img src={thumbnail} alt="" loading="lazy" decoding="async" />;
  if (state === "running" || state === "queued") return <span class="spinner" />;
  return <Icon name={state === "failed" ? "refuse" : "eye"} />;
}

function Result({ analysis: { state, verdict, progress } }: { analysis: Analysis }) {
  if (state === "succeeded" && verdict) return <VerdictChip verdict={verdict} />;
  if (state !== "running") return <span class={`chip worklist-${state}`}>{word("state", state)}</span>;
  const share =
    progress.total > 1 ? ` ${t("analyze.stepsShort", { done: progress.done, total: progress.total })}` : "";
  return (
    <span class="small quiet">
      {word("stage", progress.stage)}
      {share}
    </span>
  );
}

function ReviewMark({ analysis }: { analysis: Analysis }) {
  const decision = decisionOf(analysis);
  if (!decision) return null;
  // The filter goes by the corrected label: it is shown where it differs from the finding beside it.
  const corrected = analysis.reviews?.at(-1)?.label;
  return (
    <span class="worklist-reviewed small">
      <Icon name={decision === "agree" ? "answer" : "review"} size={14} />
      <span>
        {word("worklistPage", decision)}
        {corrected && <span class="worklist-corrected">{word("tumor", corrected)}</span>}
      </span>
    </span>
  );
}
