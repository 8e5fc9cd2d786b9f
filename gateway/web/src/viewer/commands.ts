// What the keys and the buttons do.
import { addRuler, moveRuler, removeRuler } from "./ruler";
import type { ShortcutName } from "./shortcuts";
import { middleOf, oneToOne, panBy, pixelAt, type Stage, zoomBy } from "./stage";
import { fit, nextComparing, type Point, reset, shiftWindow, type Tool } from "./view-state";

const ZOOM_STEP = 1.25;
const GRAY_STEP = 10;
const PAN_STEP_PX = 40;
/** With Shift, ten steps at once. */
const FAST = 10;

export function zoomIn(stage: Stage): void {
  zoomBy(stage, ZOOM_STEP);
}

export function zoomOut(stage: Stage): void {
  zoomBy(stage, 1 / ZOOM_STEP);
}

/** Chosen again, the ruler lays one across the middle. */
export function choose(stage: Stage, tool: Tool): void {
  const again = stage.view.tool.value === tool;
  stage.view.tool.value = tool;
  if (tool === "ruler" && again) layRuler(stage);
  if (tool === "probe" && stage.marks.probe.value === null) moveProbe(stage, { x: 0, y: 0 });
  if (tool !== "probe") stage.marks.probe.value = null;
}

function layRuler(stage: Stage): void {
  const start = middleOf(stage);
  const end = { x: Math.min(start.x + stage.shape.columns * 0.1, stage.shape.columns), y: start.y };
  addRuler(stage.marks, start, end);
}

/** Does what `name` stands for; `key` is the key that was pressed. False where it has nothing to do with now. */
export function obey(stage: Stage, name: ShortcutName, key: string, shift: boolean): boolean {
  const { view, marks } = stage;
  const steps = shift ? FAST : 1;
  switch (name) {
    case "window":
    case "pan":
    case "zoom":
    case "ruler":
    case "probe":
      choose(stage, name);
      return true;
    case "mask":
    case "fill":
    case "diameters":
    case "heat":
    case "invert":
      view[name].value = !view[name].value;
      return true;
    case "original":
      nextComparing(view);
      return true;
    case "contrast":
      shiftWindow(view, key === "[" ? -GRAY_STEP : GRAY_STEP, 0);
      return true;
    case "brightness":
      shiftWindow(view, 0, key === "," ? GRAY_STEP : -GRAY_STEP);
      return true;
    case "closer":
      zoomBy(stage, key === "+" || key === "=" ? ZOOM_STEP : 1 / ZOOM_STEP);
      return true;
    case "oneToOne":
      oneToOne(stage);
      return true;
    case "fit":
      fit(view);
      return true;
    case "reset":
      reset(view);
      return true;
    case "arrows":
      step(stage, key, steps);
      return true;
    case "otherEnd":
      if (!marks.chosen.value) return false;
      marks.chosen.value = { ...marks.chosen.value, end: marks.chosen.value.end === 0 ? 1 : 0 };
      return true;
    case "erase":
      if (!marks.chosen.value) return false;
      removeRuler(marks, marks.chosen.value.id);
      return true;
    case "done":
      if (!marks.chosen.value) return false;
      marks.chosen.value = null;
      return true;
    case "help":
      return false;
  }
}

const TOWARD: Record<string, Point> = {
  arrowleft: { x: -1, y: 0 },
  arrowright: { x: 1, y: 0 },
  arrowup: { x: 0, y: -1 },
  arrowdown: { x: 0, y: 1 },
};

/** An arrow moves the end of a ruler or the probe by pixels of the picture, else what is seen. */
function step(stage: Stage, key: string, steps: number): void {
  const { view, marks, shape } = stage;
  const { x, y } = TOWARD[key] ?? { x: 0, y: 0 };
  const by = { x: x * steps, y: y * steps };
  if (view.tool.value === "probe") moveProbe(stage, by);
  else if (view.tool.value !== "ruler") {
    const far = steps > 1 ? 3 : 1;
    panBy(stage, { x: -x * far * PAN_STEP_PX, y: -y * far * PAN_STEP_PX });
  } else {
    if (!marks.chosen.value) addRuler(marks, middleOf(stage));
    if (marks.chosen.value) moveRuler(marks, marks.chosen.value, by, shape.columns, shape.rows);
  }
}

function moveProbe(stage: Stage, by: Point): void {
  const { marks } = stage;
  const { x, y } = marks.probe.value ?? middleOf(stage);
  marks.probe.value = pixelAt(stage, { x: x + by.x, y: y + by.y }) ?? marks.probe.value;
}
