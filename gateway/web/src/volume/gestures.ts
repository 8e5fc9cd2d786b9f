// What mouse, pen and fingers do on the stage. Left does what the chosen tool does, right sets the window, the wheel
// goes through slices; two fingers, or the wheel with Ctrl, zoom.
import { AXES, type Voxel } from "./planes";
import type { VolumeScene } from "./scene";
import { fromTile, type Tile, tileAt } from "./tiles";
import type { Tool, VolumeView } from "./view";

export interface Stage {
  view: VolumeView;
  scene: () => VolumeScene | null;
  tiles: () => readonly Tile[];
}

const NOTCH_PX = 100;
const WINDOW_PX = 500;
const ZOOM_PX = 180;
const TURN_PX = 2;

interface Drag {
  tool: Tool | "turn";
  tile: Tile | null;
  x: number;
  y: number;
}

/** Listens on `element` until `signal` is aborted. */
export function listen(element: HTMLElement, stage: Stage, signal: AbortSignal): void {
  const { view } = stage;
  const fingers = new Map<number, { x: number; y: number }>();
  let drag: Drag | null = null;
  let scrolled = 0;

  const place = (event: MouseEvent) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const voxel = (tile: Tile, x: number, y: number) => fromTile(tile, x, y, view.at.value, view.shape);

  function begin(event: PointerEvent): void {
    const { x, y } = place(event);
    fingers.set(event.pointerId, { x, y });
    if (fingers.size > 1) {
      drag = null;
      return;
    }
    element.setPointerCapture(event.pointerId);
    const tile = tileAt(stage.tiles(), x, y);
    if (tile) view.plane.value = tile.plane;
    const tool = view.layout.value === "render" ? "turn" : toolOf(event, view.tool.value);
    drag = { tool, tile, x, y };
    if (tool === "probe" && tile) view.point(voxel(tile, x, y));
    if (tool === "ruler" && tile) {
      const from = voxel(tile, x, y);
      view.measurements.value = [...view.measurements.value, { plane: tile.plane, from, to: from }];
    }
  }

  function move(event: PointerEvent): void {
    const now = place(event);
    if (fingers.size === 2 && fingers.has(event.pointerId)) pinch(event.pointerId, now);
    else if (drag) follow(drag, now);
  }

  function follow(active: Drag, { x, y }: { x: number; y: number }): void {
    const [dx, dy] = [x - active.x, y - active.y];
    const { tile } = active;
    if (active.tool === "turn") {
      const { azimuth, elevation } = view.facing.value;
      view.facing.value = {
        azimuth: azimuth - dx / TURN_PX,
        elevation: Math.max(-90, Math.min(90, elevation + dy / TURN_PX)),
      };
    } else if (active.tool === "window") view.shiftWindow(dy / WINDOW_PX, dx / WINDOW_PX);
    else if (active.tool === "zoom") zoomAt(tile, active.x, active.y, Math.exp(-dy / ZOOM_PX));
    else if (tile && active.tool === "pan") pan(tile, active, { x, y });
    else if (tile && active.tool === "probe") view.point(voxel(tile, x, y));
    else if (tile) stretch(tile, x, y);
    active.x = x;
    active.y = y;
  }

  function stretch(tile: Tile, x: number, y: number): void {
    const [last, ...before] = [...view.measurements.value].reverse();
    if (last) view.measurements.value = [...before.reverse(), { ...last, to: voxel(tile, x, y) }];
  }

  function pan(tile: Tile, from: { x: number; y: number }, to: { x: number; y: number }): void {
    const [was, is] = [voxel(tile, from.x, from.y), voxel(tile, to.x, to.y)];
    const { across } = AXES[tile.plane];
    const moved = view.panMm.value.map((mm, axis) =>
      axis === across
        ? mm
        : mm + ((is[axis] ?? 0) - (was[axis] ?? 0)) * (view.spacing[axis] ?? 1) * view.zoom.value,
    );
    view.panMm.value = moved as unknown as Voxel;
  }

  function zoomAt(tile: Tile | null, x: number, y: number, factor: number): void {
    const zoom = view.zoomBy(factor);
    const fixed = tile ? voxel(tile, x, y) : view.at.value;
    const scene = stage.scene();
    if (scene && view.layout.value !== "render") view.panMm.value = scene.panFor(fixed, zoom);
    view.zoom.value = zoom;
  }

  function pinch(id: number, now: { x: number; y: number }): void {
    const other = [...fingers].find(([key]) => key !== id)?.[1];
    const was = fingers.get(id);
    if (!other || !was) return;
    const ratio = Math.hypot(now.x - other.x, now.y - other.y) / Math.hypot(was.x - other.x, was.y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    const tile = tileAt(stage.tiles(), middle.x, middle.y);
    if (Number.isFinite(ratio) && ratio > 0) zoomAt(tile, middle.x, middle.y, ratio);
    if (tile) pan(tile, { x: (was.x + other.x) / 2, y: (was.y + other.y) / 2 }, middle);
    fingers.set(id, now);
  }

  function end(event: PointerEvent): void {
    fingers.delete(event.pointerId);
    if (drag?.tool === "ruler") dropDots(view);
    drag = null;
  }

  function wheel(event: WheelEvent): void {
    event.preventDefault();
    const { x, y } = place(event);
    const tile = tileAt(stage.tiles(), x, y);
    const turned = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / NOTCH_PX : event.deltaY;
    if (event.ctrlKey || view.layout.value === "render") {
      zoomAt(tile, x, y, Math.exp(-turned / 8));
      return;
    }
    scrolled += turned;
    const whole = Math.trunc(scrolled);
    scrolled -= whole;
    if (tile && whole !== 0) view.step(-whole, tile.plane);
  }

  element.addEventListener("pointerdown", begin, { signal });
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", end, { signal });
  element.addEventListener("pointercancel", end, { signal });
  element.addEventListener("wheel", wheel, { signal, passive: false });
  element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
}

function toolOf(event: PointerEvent, chosen: Tool): Tool {
  if (event.button === 2) return "window";
  if (event.button === 1 || event.shiftKey) return "pan";
  return chosen;
}

/** A click with the ruler is no measurement. */
function dropDots(view: VolumeView): void {
  const long = view.measurements.value.filter(
    ({ from, to }) => Math.hypot(from[0] - to[0], from[1] - to[1], from[2] - to[2]) > 0.5,
  );
  if (long.length < view.measurements.value.length) view.measurements.value = long;
}
