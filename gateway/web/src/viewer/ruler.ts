// Rulers that the reader lays on the scan. Ends are picture positions: pixel k reaches from k to k + 1.
import { type Signal, signal } from "@preact/signals";
import { type Placement, toScreen } from "./geometry";
import type { Point } from "./view-state";

export interface Ruler {
  id: number;
  ends: readonly [Point, Point];
}

/** What the reader has put on one picture. */
export interface Marks {
  rulers: Signal<readonly Ruler[]>;
  /** The ruler that keys move, and which end of it. */
  chosen: Signal<{ id: number; end: 0 | 1 } | null>;
  probe: Signal<Point | null>;
}

/** What is under the pointer: an end of a ruler, or all of it. */
export interface Grip {
  id: number;
  end: 0 | 1 | "both";
}

const REACH_PX = 12;

export function newMarks(): Marks {
  return { rulers: signal([]), chosen: signal(null), probe: signal(null) };
}

/** In millimeters where the spacing (between rows, between columns) is known, else in pixels. */
export function lengthOf([a, b]: Ruler["ends"], spacingMm: readonly number[] | null): number {
  const [tall = 1, wide = 1] = spacingMm ?? [];
  return Math.hypot((b.x - a.x) * wide, (b.y - a.y) * tall);
}

export function addRuler(marks: Marks, start: Point, end: Point = start): Grip {
  const id = 1 + Math.max(0, ...marks.rulers.value.map((ruler) => ruler.id));
  marks.rulers.value = [...marks.rulers.value, { id, ends: [start, end] }];
  marks.chosen.value = { id, end: 1 };
  return { id, end: 1 };
}

export function removeRuler(marks: Marks, id: number): void {
  marks.rulers.value = marks.rulers.value.filter((ruler) => ruler.id !== id);
  if (marks.chosen.value?.id === id) marks.chosen.value = null;
}

/** By picture pixels; ends stay on the picture. */
export function moveRuler(marks: Marks, grip: Grip, by: Point, columns: number, rows: number): void {
  const moved = (point: Point): Point => ({
    x: Math.min(Math.max(point.x + by.x, 0), columns),
    y: Math.min(Math.max(point.y + by.y, 0), rows),
  });
  marks.rulers.value = marks.rulers.value.map((ruler) => {
    if (ruler.id !== grip.id) return ruler;
    const [a, b] = ruler.ends;
    return { id: ruler.id, ends: [grip.end === 1 ? a : moved(a), grip.end === 0 ? b : moved(b)] };
  });
}

/** The ruler at `pointer`, ends before lines, the last laid first. */
export function gripAt(rulers: readonly Ruler[], at: Placement, pointer: Point): Grip | null {
  const latest = [...rulers].reverse();
  for (const { id, ends } of latest) {
    for (const end of [1, 0] as const) {
      const place = toScreen(at, ends[end]);
      if (Math.hypot(place.x - pointer.x, place.y - pointer.y) <= REACH_PX) return { id, end };
    }
  }
  const onLine = latest.find(({ ends }) => {
    const [a, b] = [toScreen(at, ends[0]), toScreen(at, ends[1])];
    return distanceToLine(pointer, a, b) <= REACH_PX / 2;
  });
  return onLine ? { id: onLine.id, end: "both" } : null;
}

function distanceToLine(point: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const squared = Math.max(dx * dx + dy * dy, 1e-9);
  const along = Math.min(Math.max(((point.x - a.x) * dx + (point.y - a.y) * dy) / squared, 0), 1);
  return Math.hypot(point.x - a.x - along * dx, point.y - a.y - along * dy);
}
