// Draws what is seen of a slice. Nothing here keeps state or reads the page.
import { type Box, type Placement, roundLengthMm, type Shape, toScreen } from "./geometry";
import type { Ruler } from "./ruler";
import { type Axis, drawAxis, drawProbe, drawRuler, drawText, type Palette, type Pen } from "./strokes";
import type { Point } from "./view-state";

/** One pane: the scan at its place, under what was found in it where `found` is there. */
export interface PaneScene {
  box: Box;
  at: Placement;
  picture: HTMLCanvasElement;
  /** Whether pixels are shown as they are: the reader is looking at them. */
  crisp: boolean;
  found: Found | null;
  /** Left of this x (of the canvas) the scan is shown bare; null where nothing is compared. */
  bareUntil: number | null;
}

export interface Found {
  heat: { canvas: HTMLCanvasElement; opacity: number } | null;
  fill: { canvas: HTMLCanvasElement; opacity: number } | null;
  outline: Path2D | null;
  axes: ReadonlyArray<{ ends: Axis; label: string }>;
}

export interface Scene {
  width: number;
  height: number;
  /** Device pixels for a CSS pixel. */
  density: number;
  panes: PaneScene[];
  rulers: ReadonlyArray<{ ruler: Ruler; label: string; chosen: boolean }>;
  probe: Point | null;
  spacingMm: readonly number[] | null;
  shape: Shape;
  /** What a scale bar of so many mm is called. */
  nameLength: (mm: number) => string;
  disclaimer: string;
  direction: "ltr" | "rtl";
  palette: Palette;
}

/** Lines and letters grow on canvases whose shorter side is longer. */
const COMMON_PX = 1100;
const MAX_UNIT = 1.75;

export function drawScene(context: CanvasRenderingContext2D, scene: Scene): void {
  context.setTransform(scene.density, 0, 0, scene.density, 0, 0);
  context.fillStyle = scene.palette.ground;
  context.fillRect(0, 0, scene.width, scene.height);
  const unit = Math.min(Math.max(Math.min(scene.width, scene.height) / COMMON_PX, 1), MAX_UNIT);
  const pen: Pen = { context, palette: scene.palette, unit };
  for (const pane of scene.panes) {
    within(context, pane.box, () => drawPane(pen, scene, pane));
  }
  const [first, second] = scene.panes;
  if (first && second) {
    context.fillStyle = scene.palette.line;
    context.fillRect(first.box.width, 0, second.box.x - first.box.width, scene.height);
  }
}

function drawPane(pen: Pen, scene: Scene, pane: PaneScene): void {
  const { context } = pen;
  drawPixels(context, pane, scene.shape, pane.picture, pane.crisp);
  if (pane.found) {
    const found = pane.found;
    const left = Math.max(pane.bareUntil ?? pane.box.x, pane.box.x);
    const rest = { ...pane.box, x: left, width: Math.max(pane.box.x + pane.box.width - left, 0) };
    within(context, rest, () => drawFound(pen, scene, pane, found));
  }
  for (const { ruler, label, chosen } of scene.rulers) drawRuler(pen, pane.at, ruler.ends, label, chosen);
  if (scene.probe) drawProbe(pen, toScreen(pane.at, scene.probe));
  drawMargin(pen, scene, pane);
}

function drawFound(pen: Pen, scene: Scene, pane: PaneScene, found: Found): void {
  const { context, palette, unit } = pen;
  for (const [layer, crisp] of [
    [found.heat, false],
    [found.fill, true],
  ] as const) {
    if (!layer) continue;
    context.globalAlpha = layer.opacity;
    drawPixels(context, pane, scene.shape, layer.canvas, crisp);
    context.globalAlpha = 1;
  }
  if (found.outline) {
    // Placed first and stroked then: the line is as wide at every zoom.
    const path = new Path2D();
    const { scaleX, scaleY, left, top } = pane.at;
    path.addPath(found.outline, new DOMMatrix([scaleX, 0, 0, scaleY, left, top]));
    context.lineJoin = "round";
    context.lineWidth = 4 * unit;
    context.strokeStyle = palette.halo;
    context.stroke(path);
    context.lineWidth = 2 * unit;
    context.strokeStyle = palette.outline;
    context.stroke(path);
  }
  for (const { ends, label } of found.axes) drawAxis(pen, pane.at, pane.box, ends, label);
}

function drawPixels(
  context: CanvasRenderingContext2D,
  pane: PaneScene,
  shape: Shape,
  canvas: HTMLCanvasElement,
  crisp: boolean,
): void {
  const { at } = pane;
  context.imageSmoothingEnabled = !crisp;
  context.imageSmoothingQuality = "medium";
  // A layer that covers the picture may have another grid than the picture's.
  context.drawImage(canvas, at.left, at.top, shape.columns * at.scaleX, shape.rows * at.scaleY);
}

/** The scale bar where the spacing is known, and what the picture is for, burned in. */
function drawMargin(pen: Pen, scene: Scene, pane: PaneScene): void {
  const { context, palette, unit } = pen;
  const { box } = pane;
  const right = box.x + box.width - 12;
  const bottom = box.y + box.height - 14 * unit;
  context.direction = scene.direction;
  drawText(pen, { x: right, y: bottom }, scene.disclaimer, {
    size: 11,
    align: "right",
    color: palette.quiet,
  });
  context.direction = "ltr";
  const across = scene.spacingMm?.[1];
  if (!across) return;
  const pxPerMm = pane.at.scaleX / across;
  const lengthMm = roundLengthMm(Math.min(box.width * 0.22, 180 * unit), pxPerMm);
  const length = lengthMm * pxPerMm;
  const y = bottom - 20 * unit;
  const bar = new Path2D(`M${right - length} ${y - 5}v5h${length}v-5`);
  context.lineJoin = "miter";
  context.lineWidth = 4 * unit;
  context.strokeStyle = palette.halo;
  context.stroke(bar);
  context.lineWidth = 1.6 * unit;
  context.strokeStyle = palette.text;
  context.stroke(bar);
  drawText(pen, { x: right - length / 2, y: y - 14 * unit }, scene.nameLength(lengthMm), {
    size: 12,
    align: "center",
  });
}

function within(context: CanvasRenderingContext2D, box: Box, draw: () => void): void {
  context.save();
  context.beginPath();
  context.rect(box.x, box.y, box.width, box.height);
  context.clip();
  draw();
  context.restore();
}
