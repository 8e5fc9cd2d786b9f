// One picture on one canvas: its view state, the marks on it, and where it lies.
import { type Signal, signal } from "@preact/signals";
import { type Box, centerAround, fitScale, type Placement, panes, place, type Shape } from "./geometry";
import { type Marks, newMarks } from "./ruler";
import { type Point, setCenter, setZoom, type ViewState } from "./view-state";

export interface Stage {
  view: ViewState;
  marks: Marks;
  shape: Shape;
  /** Between rows, between columns; null where the file does not say. */
  spacingMm: readonly number[] | null;
  /** The canvas in CSS pixels. */
  size: Signal<{ width: number; height: number }>;
}

export function newStage(view: ViewState, shape: Shape, spacingMm: readonly number[] | null): Stage {
  return { view, shape, spacingMm, marks: newMarks(), size: signal({ width: 0, height: 0 }) };
}

export function panesOf({ view, size }: Stage): Box[] {
  return panes(size.value.width, size.value.height, view.comparing.value === "side");
}

/** The pane under a place of the canvas, or the first. */
export function paneAt(stage: Stage, at?: Point): Box {
  const all = panesOf(stage);
  const found = at && all.find(({ x, width }) => at.x >= x && at.x < x + width);
  return found ?? (all[0] as Box);
}

export function placeIn({ view, shape }: Stage, pane: Box): Placement {
  return place(pane, shape, view.zoom.value, view.center.value);
}

/** Closer (above 1) or farther; what is at `at` stays there. */
export function zoomBy(stage: Stage, factor: number, at?: Point): void {
  const { view, shape } = stage;
  const pane = paneAt(stage, at);
  const before = placeIn(stage, pane);
  const middle = { x: pane.x + pane.width / 2, y: pane.y + pane.height / 2 };
  setZoom(view, view.zoom.value * factor);
  setCenter(view, centerAround(pane, shape, before, view.zoom.value, at ?? middle));
}

/** One picture pixel on one CSS pixel. */
export function oneToOne(stage: Stage): void {
  setZoom(stage.view, 1 / fitScale(paneAt(stage), stage.shape));
}

/** Moves the picture by CSS pixels. */
export function panBy(stage: Stage, by: Point): void {
  const { view, shape } = stage;
  const at = placeIn(stage, paneAt(stage));
  const { x, y } = view.center.value;
  setCenter(view, {
    x: x - by.x / (at.scaleX * shape.columns),
    y: y - by.y / (at.scaleY * shape.rows),
  });
}

/** The picture's point in the middle of what is seen, kept on the picture. */
export function middleOf({ view, shape }: Stage): Point {
  return { x: view.center.value.x * shape.columns, y: view.center.value.y * shape.rows };
}

/** A picture's point, kept on the middle of its pixel; null outside the picture. */
export function pixelAt({ shape }: Stage, { x, y }: Point): Point | null {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const outside = column < 0 || row < 0 || column >= shape.columns || row >= shape.rows;
  return outside ? null : { x: column + 0.5, y: row + 0.5 };
}
