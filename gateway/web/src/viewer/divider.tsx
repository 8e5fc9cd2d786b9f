import { useRef } from "preact/hooks";
import { t } from "../i18n";
import { clamp } from "../ui/clamp";
import type { ViewState } from "./view-state";
import "./divider.css";

const STEP = 0.02;
const RANGE = [0.02, 0.98] as const;

/** The line between the original and what was found in it: dragged, or moved by arrow keys. */
export function Divider({ view, width }: { view: ViewState; width: number }) {
  const handle = useRef<HTMLDivElement>(null);
  const move = (share: number) => {
    view.divider.value = clamp(share, ...RANGE);
  };
  const drag = (event: PointerEvent) => {
    const stage = handle.current?.parentElement;
    if (!stage || !handle.current?.hasPointerCapture(event.pointerId)) return;
    move((event.clientX - stage.getBoundingClientRect().left) / width);
  };
  const press = (event: KeyboardEvent) => {
    const step = event.shiftKey ? 5 * STEP : STEP;
    const places: Record<string, number> = {
      ArrowLeft: view.divider.value - step,
      ArrowRight: view.divider.value + step,
      Home: 0,
      End: 1,
    };
    const place = places[event.key];
    if (place === undefined) return;
    event.preventDefault();
    move(place);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a line that splits two panes is no <hr>: it is moved.
    <div
      ref={handle}
      class="viewer-divider"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={t("viewer.divider")}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(view.divider.value * 100)}
      data-testid="divider"
      style={{ left: `${view.divider.value * 100}%` }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        event.currentTarget.focus({ preventScroll: true });
        event.preventDefault();
      }}
      onPointerMove={drag}
      onKeyDown={press}
    />
  );
}
