import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Analysis } from "../api/types";
import { t, word } from "../i18n";
import { movedTo } from "./keys";
import { Row } from "./row";
import "./rows.css";
import "./cards.css";
import { useRowHeight, useSpan } from "./window-rows";

const COLUMNS = ["selected", "picture", "finding", "result", "scan", "when", "reviewed", "id", "actions"];
const HIDDEN: ReadonlySet<string> = new Set(["selected", "picture", "actions"]);
const NARROW = "(width < 62rem)";
/** Rows before the end of what is there at which more is asked for. */
const AHEAD = 20;

/** The rows in sight of a list of any length, and what keys do in it. */
export function List({
  entries,
  hasMore,
  selected,
  shown,
  onMore,
  onOpen,
  onSelect,
  onDelete,
}: {
  entries: readonly Analysis[];
  hasMore: boolean;
  selected: ReadonlySet<string>;
  shown: { current: readonly Analysis[] };
  onMore: () => void;
  onOpen: (analysis: Analysis) => void;
  onSelect: (id: string) => void;
  onDelete: (analysis: Analysis) => void;
}) {
  const box = useRef<HTMLTableSectionElement>(null);
  const height_px = useRowHeight(4.5, 7.5, NARROW);
  const { first, end } = useSpan(box, height_px, entries.length);
  const [wish, setActive] = useState(0);
  const active = Math.min(wish, entries.length - 1);
  const goTo = useRef<number | null>(null);
  shown.current = entries.slice(first, end);

  useEffect(() => {
    if (hasMore && end + AHEAD >= entries.length) onMore();
  }, [hasMore, end, entries.length, onMore]);

  // A row that a key leads to is drawn first, then focused.
  useLayoutEffect(() => {
    if (goTo.current === null) return;
    const row = box.current?.querySelector<HTMLElement>(`[data-index="${goTo.current}"]`);
    if (!row) return;
    row.focus({ preventScroll: true });
    if (goTo.current === 0) window.scrollTo(0, 0);
    else row.scrollIntoView({ block: "nearest" });
    goTo.current = null;
  });

  function press(event: KeyboardEvent) {
    const target = event.target as HTMLElement;
    const analysis = entries[active];
    if (!analysis || event.altKey || event.ctrlKey || event.metaKey) return;
    const isRow = target.dataset.index !== undefined;
    const next = movedTo(event.key, active, entries.length);
    if (next !== null) {
      goTo.current = next;
      setActive(next);
    } else if (event.key === "Delete") onDelete(analysis);
    else if (event.key === "Enter" && isRow) onOpen(analysis);
    else if (event.key === " " && isRow) onSelect(analysis.id);
    else return;
    event.preventDefault();
  }

  const inSight = Array.from({ length: Math.max(0, end - first) }, (_, place) => first + place);
  // The row with the focus stays, wherever the reader scrolls.
  const drawn = active < first ? [active, ...inSight] : active >= end ? [...inSight, active] : inSight;
  return (
    <table
      // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: its rows take keys, which a plain table does not tell
      role="grid"
      class="worklist-grid"
      data-testid="worklist"
      aria-label={t("shell.worklist")}
      aria-rowcount={hasMore ? -1 : entries.length + 1}
      aria-multiselectable
      onKeyDown={press}
    >
      <thead class="worklist-head">
        <tr class="worklist-columns" aria-rowindex={1}>
          {COLUMNS.map((name) => (
            <th scope="col" key={name} class={`worklist-column-${name}`}>
              <span class={HIDDEN.has(name) ? "visually-hidden" : ""}>{word("worklistPage", name)}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={box} class="worklist-body" style={{ height: `${entries.length * height_px}px` }}>
        {drawn.map((index) => {
          const analysis = entries[index];
          return (
            analysis && (
              <Row
                key={analysis.id}
                analysis={analysis}
                index={index}
                top_px={index * height_px}
                height_px={height_px}
                isActive={index === active}
                isSelected={selected.has(analysis.id)}
                onFocus={setActive}
                onSelect={onSelect}
                onDelete={onDelete}
              />
            )
          );
        })}
      </tbody>
    </table>
  );
}
