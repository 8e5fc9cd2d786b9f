// Pointers on the picture: mouse, pen and fingers told apart into drags, pinches and turns of the wheel.
import type { Point } from "./view-state";

/** What a drag means: the chosen tool, or what its button always does. */
export type DragKind = "tool" | "window" | "pan";

export interface GestureListener {
  /** Whether a drag with the chosen button pans (the space bar is held). */
  panning: () => boolean;
  start: (kind: DragKind, at: Point) => void;
  drag: (at: Point, by: Point) => void;
  end: () => void;
  /** Two fingers: by how much they spread, and how their middle moved. */
  pinch: (middle: Point, factor: number, by: Point) => void;
  wheel: (at: Point, factor: number) => void;
  /** The pointer over the picture; null when it leaves. */
  hover: (at: Point | null) => void;
}

const WHEEL_STEP = 0.0016;
const LINE_PX = 16;

/** Tells `on` what happens on `element`, in its CSS pixels, until the returned function is called. */
export function listen(element: HTMLElement, on: GestureListener): () => void {
  const pointers = new Map<number, Point>();
  let dragging = false;

  const place = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const finish = () => {
    if (dragging) on.end();
    dragging = false;
  };
  const down = (event: PointerEvent) => {
    const kind = kindOf(event, on.panning());
    if (kind === null) return;
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    finish();
    if (pointers.size === 1) {
      dragging = true;
      on.start(kind, place(event));
    }
  };
  const move = (event: PointerEvent) => {
    const before = pointers.get(event.pointerId);
    const now = place(event);
    if (!before) {
      on.hover(now);
      return;
    }
    if (dragging) {
      on.drag(now, { x: now.x - before.x, y: now.y - before.y });
    } else if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1] ?? now;
      const spread = Math.hypot(now.x - other.x, now.y - other.y);
      const spreadBefore = Math.max(Math.hypot(before.x - other.x, before.y - other.y), 1);
      const by = { x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 };
      on.pinch({ x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }, spread / spreadBefore, by);
    }
    pointers.set(event.pointerId, now);
  };
  const up = (event: PointerEvent) => {
    pointers.delete(event.pointerId);
    finish();
  };
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const turned = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    on.wheel(place(event), Math.exp(-Math.max(-240, Math.min(turned, 240)) * WHEEL_STEP));
  };
  const leave = () => {
    if (pointers.size === 0) on.hover(null);
  };
  const noMenu = (event: Event) => event.preventDefault();

  const stop = new AbortController();
  const { signal } = stop;
  element.addEventListener("pointerdown", down, { signal });
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", up, { signal });
  element.addEventListener("pointercancel", up, { signal });
  element.addEventListener("pointerleave", leave, { signal });
  element.addEventListener("contextmenu", noMenu, { signal });
  element.addEventListener("wheel", wheel, { signal, passive: false });
  return () => stop.abort();
}

function kindOf(event: PointerEvent, panning: boolean): DragKind | null {
  if (event.button === 0) return panning ? "pan" : "tool";
  if (event.button === 1) return "pan";
  return event.button === 2 ? "window" : null;
}
