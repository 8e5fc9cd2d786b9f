// Lines and words on the scan, each with a dark halo: readable on black and on white.
import { type Box, type Placement, toScreen } from "./geometry";
import type { Point } from "./view-state";

export interface Palette {
  ground: string;
  line: string;
  text: string;
  quiet: string;
  outline: string;
  diameter: string;
  accent: string;
  halo: string;
  font: string;
}

export interface Pen {
  context: CanvasRenderingContext2D;
  palette: Palette;
  /** Widths and letters grow with it: 1 up to a canvas of a common size. */
  unit: number;
}

/** Two ends, (row, column) each, whole numbers at the centers of pixels: as the gateway measures. */
export type Axis = readonly [readonly [number, number], readonly [number, number]];

const TICK_PX = 6;
const LABEL_PX = 13;

export function drawText(
  { context, palette, unit }: Pen,
  at: Point,
  text: string,
  { size = LABEL_PX, align = "center" as CanvasTextAlign, color = palette.text } = {},
): void {
  context.font = `600 ${size * unit}px ${palette.font}`;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 3.5 * unit;
  context.strokeStyle = palette.halo;
  context.strokeText(text, at.x, at.y);
  context.fillStyle = color;
  context.fillText(text, at.x, at.y);
}

function drawLine(
  { context, palette, unit }: Pen,
  parts: ReadonlyArray<readonly [Point, Point]>,
  color: string,
): void {
  context.beginPath();
  for (const [a, b] of parts) {
    context.moveTo(a.x, a.y);
    context.lineTo(b.x, b.y);
  }
  context.lineCap = "round";
  context.lineWidth = 4 * unit;
  context.strokeStyle = palette.halo;
  context.stroke();
  context.lineWidth = 1.75 * unit;
  context.strokeStyle = color;
  context.stroke();
  context.lineCap = "butt";
}

/** A line between two places with a tick across each end. */
function drawCaliper(pen: Pen, a: Point, b: Point, color: string): void {
  const length = Math.max(Math.hypot(b.x - a.x, b.y - a.y), 1e-6);
  const tickPx = TICK_PX * pen.unit;
  const across = { x: (-(b.y - a.y) / length) * tickPx, y: ((b.x - a.x) / length) * tickPx };
  const tick = (end: Point) =>
    [
      { x: end.x - across.x, y: end.y - across.y },
      { x: end.x + across.x, y: end.y + across.y },
    ] as const;
  drawLine(pen, [[a, b], tick(a), tick(b)], color);
}

/** A diameter of the outline, named beyond its right end. */
export function drawAxis(pen: Pen, at: Placement, box: Box, [first, second]: Axis, label: string): void {
  const [a, b] = [first, second].map(([row, column]) => toScreen(at, { x: column + 0.5, y: row + 0.5 })) as [
    Point,
    Point,
  ];
  drawCaliper(pen, a, b, pen.palette.diameter);
  const [start, end] = a.x <= b.x ? [a, b] : [b, a];
  drawText(pen, labelPlace(pen, box, start, end, label), label, { color: pen.palette.diameter });
}

/** Beyond `end`, seen from `start`, and inside the box. */
function labelPlace(
  { context, palette, unit }: Pen,
  box: Box,
  start: Point,
  end: Point,
  label: string,
): Point {
  const height = LABEL_PX * unit;
  context.font = `600 ${height}px ${palette.font}`;
  const halfWidth = context.measureText(label).width / 2;
  const length = Math.max(Math.hypot(end.x - start.x, end.y - start.y), 1e-6);
  const [alongX, alongY] = [(end.x - start.x) / length, (end.y - start.y) / length];
  const away = 10 + halfWidth * Math.abs(alongX) + (height / 2) * Math.abs(alongY);
  const inside = (value: number, from: number, size: number, half: number) =>
    Math.min(Math.max(value, from + half + 6), from + size - half - 6);
  return {
    x: inside(end.x + alongX * away, box.x, box.width, halfWidth),
    y: inside(end.y + alongY * away, box.y, box.height, height / 2),
  };
}

/** The reader's own ruler: the one that is chosen has handles. */
export function drawRuler(
  pen: Pen,
  at: Placement,
  ends: readonly [Point, Point],
  label: string,
  chosen: boolean,
): void {
  const [a, b] = [toScreen(at, ends[0]), toScreen(at, ends[1])];
  const color = chosen ? pen.palette.accent : pen.palette.text;
  drawCaliper(pen, a, b, color);
  if (chosen) {
    const { context } = pen;
    for (const end of [a, b]) {
      context.beginPath();
      context.arc(end.x, end.y, 5 * pen.unit, 0, 2 * Math.PI);
      context.fillStyle = pen.palette.ground;
      context.fill();
      context.lineWidth = 2 * pen.unit;
      context.strokeStyle = color;
      context.stroke();
    }
  }
  const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  const flat = Math.abs(b.x - a.x) > Math.abs(b.y - a.y);
  drawText(
    pen,
    flat ? { x: middle.x, y: middle.y - 14 * pen.unit } : { x: middle.x + 12 * pen.unit, y: middle.y },
    label,
    {
      align: flat ? "center" : "left",
      color,
    },
  );
}

/** A cross that leaves its middle free. */
export function drawProbe(pen: Pen, { x, y }: Point): void {
  const arm = (dx: number, dy: number) =>
    [
      { x: x + 5 * dx, y: y + 5 * dy },
      { x: x + 15 * dx, y: y + 15 * dy },
    ] as const;
  drawLine(pen, [arm(1, 0), arm(-1, 0), arm(0, 1), arm(0, -1)], pen.palette.accent);
}
