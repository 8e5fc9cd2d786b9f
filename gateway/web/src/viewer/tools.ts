// What the tools do with a drag.
import { type Box, toPicture } from "./geometry";
import type { DragKind, GestureListener } from "./gestures";
import { addRuler, type Grip, gripAt, lengthOf, moveRuler, removeRuler } from "./ruler";
import { panBy, paneAt, pixelAt, placeIn, type Stage, zoomBy } from "./stage";
import { type Point, shiftWindow, type Tool } from "./view-state";

const GRAY_PER_PX = 0.64;
const ZOOM_PER_PX = 0.008;
/** What is shorter was a click. */
const SHORTEST_RULER_PX = 3;

/** The gestures of `stage`; `panning` says whether the space bar is held. */
export function toolGestures(stage: Stage, panning: () => boolean): GestureListener {
  const { view, marks, shape } = stage;
  let tool: Tool = "pan";
  let pane: Box = paneAt(stage);
  let from: Point = { x: 0, y: 0 };
  let grip: Grip | null = null;

  const pictured = (at: Point) => toPicture(placeIn(stage, pane), at);
  const probe = (at: Point) => {
    const pixel = pixelAt(stage, pictured(at));
    if (pixel) marks.probe.value = pixel;
  };

  return {
    panning,
    start: (kind: DragKind, at) => {
      tool = kind === "tool" ? view.tool.value : kind;
      pane = paneAt(stage, at);
      from = at;
      grip = null;
      if (tool === "probe") probe(at);
      if (tool === "ruler") {
        grip = gripAt(marks.rulers.value, placeIn(stage, pane), at);
        if (grip) marks.chosen.value = { id: grip.id, end: grip.end === 0 ? 0 : 1 };
        else if (pixelAt(stage, pictured(at))) grip = addRuler(marks, pictured(at));
        else marks.chosen.value = null;
      }
    },
    drag: (at, by) => {
      if (tool === "window") shiftWindow(view, by.x * GRAY_PER_PX, by.y * GRAY_PER_PX);
      else if (tool === "pan") panBy(stage, by);
      else if (tool === "zoom") zoomBy(stage, Math.exp(-by.y * ZOOM_PER_PX), from);
      else if (tool === "probe") probe(at);
      else if (grip) {
        const { scaleX, scaleY } = placeIn(stage, pane);
        moveRuler(marks, grip, { x: by.x / scaleX, y: by.y / scaleY }, shape.columns, shape.rows);
      }
    },
    end: () => {
      if (tool !== "ruler" || !grip) return;
      const ruler = marks.rulers.value.find(({ id }) => id === grip?.id);
      const { scaleX } = placeIn(stage, pane);
      if (ruler && lengthOf(ruler.ends, null) * scaleX < SHORTEST_RULER_PX) removeRuler(marks, ruler.id);
    },
    pinch: (middle, factor, by) => {
      panBy(stage, by);
      zoomBy(stage, factor, middle);
    },
    wheel: (at, factor) => zoomBy(stage, factor, at),
    hover: (at) => {
      if (view.tool.value !== "probe" || !at) return;
      pane = paneAt(stage, at);
      probe(at);
    },
  };
}
