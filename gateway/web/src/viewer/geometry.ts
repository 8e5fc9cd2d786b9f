// Where a picture lies in a pane. Picture positions are (x, y) in pixels: pixel k reaches from k to k + 1.
import type { Point } from "./view-state";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A picture's size, and how wide and tall its pixels are: 1 for the finer direction, more for the other. */
export interface Shape {
  columns: number;
  rows: number;
  aspectX: number;
  aspectY: number;
}

/** CSS pixels for a picture's pixel, and where its upper left corner lies. */
export interface Placement {
  scaleX: number;
  scaleY: number;
  left: number;
  top: number;
}

const MARGIN_PX = 26;

/** `spacingMm` is (between rows, between columns); pixels are square where it is unknown. */
export function shapeOf(rows: number, columns: number, spacingMm: readonly number[] | null): Shape {
  const [tall = 1, wide = 1] = spacingMm ?? [];
  const finest = Math.min(tall, wide);
  return { rows, columns, aspectX: wide / finest, aspectY: tall / finest };
}

/** CSS pixels for the finer side of a pixel at zoom 1, where all of the picture is seen. */
export function fitScale(pane: Box, shape: Shape): number {
  const room = (size: number) => Math.max(size - 2 * MARGIN_PX, size / 2, 1);
  return Math.min(
    room(pane.width) / (shape.columns * shape.aspectX),
    room(pane.height) / (shape.rows * shape.aspectY),
  );
}

export function place(pane: Box, shape: Shape, zoom: number, center: Point): Placement {
  const scale = fitScale(pane, shape) * zoom;
  const scaleX = scale * shape.aspectX;
  const scaleY = scale * shape.aspectY;
  return {
    scaleX,
    scaleY,
    left: pane.x + pane.width / 2 - center.x * shape.columns * scaleX,
    top: pane.y + pane.height / 2 - center.y * shape.rows * scaleY,
  };
}

export function toScreen(at: Placement, point: Point): Point {
  return { x: at.left + point.x * at.scaleX, y: at.top + point.y * at.scaleY };
}

export function toPicture(at: Placement, point: Point): Point {
  return { x: (point.x - at.left) / at.scaleX, y: (point.y - at.top) / at.scaleY };
}

/** The center with which `zoom` keeps the picture's point under `pointer` where it is. */
export function centerAround(pane: Box, shape: Shape, at: Placement, zoom: number, pointer: Point): Point {
  const held = toPicture(at, pointer);
  const scale = fitScale(pane, shape) * zoom;
  return {
    x: (held.x + (pane.x + pane.width / 2 - pointer.x) / (scale * shape.aspectX)) / shape.columns,
    y: (held.y + (pane.y + pane.height / 2 - pointer.y) / (scale * shape.aspectY)) / shape.rows,
  };
}

/** One pane, or two beside each other with a line between them. */
export function panes(width: number, height: number, beside: boolean): Box[] {
  if (!beside) return [{ x: 0, y: 0, width, height }];
  const half = Math.floor(width / 2) - 1;
  return [
    { x: 0, y: 0, width: half, height },
    { x: half + 2, y: 0, width: width - half - 2, height },
  ];
}

/** The longest of 1, 2, 5, 10, 20, 50 ... mm that takes at most `room` CSS pixels. */
export function roundLengthMm(room: number, pxPerMm: number): number {
  const most = room / pxPerMm;
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1e-3)));
  const fitting = [1, 2, 5].map((step) => step * power).filter((length) => length <= most * (1 + 1e-9));
  return Math.max(...fitting);
}
