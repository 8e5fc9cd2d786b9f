// The viewer's keys: one table that the handler obeys and the dialog lists.
import { anywhere } from "../viewer/keys";
import { keyOf, takesKeys } from "../viewer/shortcuts";
import type { Layout } from "./scene";
import { TOOLS, type Tool, type VolumeView } from "./view";

export type Action =
  | "previous"
  | "next"
  | "back"
  | "forward"
  | "firstOutlined"
  | "lastOutlined"
  | "plane"
  | "keySlice"
  | Tool
  | Layout
  | "zoomIn"
  | "zoomOut"
  | "invert"
  | "mask"
  | "diameters"
  | "narrower"
  | "wider"
  | "brighter"
  | "darker"
  | "fill"
  | "reset"
  | "help";

interface Keys {
  action: Action;
  keys: readonly string[];
  /** Keys that scroll a page or belong to its controls: obeyed on the stage alone. */
  onStage?: true;
}

/** In the order in which the dialog lists them; the same as the slice viewer's where both have the action. */
export const KEYS: readonly Keys[] = [
  { action: "next", keys: ["arrowup", "arrowright"], onStage: true },
  { action: "previous", keys: ["arrowdown", "arrowleft"], onStage: true },
  { action: "forward", keys: ["pageup"], onStage: true },
  { action: "back", keys: ["pagedown"], onStage: true },
  { action: "lastOutlined", keys: ["home"], onStage: true },
  { action: "firstOutlined", keys: ["end"], onStage: true },
  { action: "keySlice", keys: ["k"] },
  { action: "plane", keys: ["n"] },
  { action: "window", keys: ["w"] },
  { action: "pan", keys: ["p"] },
  { action: "zoom", keys: ["z"] },
  { action: "ruler", keys: ["r"] },
  { action: "probe", keys: ["b"] },
  { action: "narrower", keys: ["["] },
  { action: "wider", keys: ["]"] },
  { action: "brighter", keys: [","] },
  { action: "darker", keys: ["."] },
  { action: "zoomIn", keys: ["+", "="] },
  { action: "zoomOut", keys: ["-", "_"] },
  { action: "invert", keys: ["i"] },
  { action: "mask", keys: ["m"] },
  { action: "fill", keys: ["f"] },
  { action: "diameters", keys: ["d"] },
  { action: "planes", keys: ["1"] },
  { action: "axial", keys: ["2"] },
  { action: "render", keys: ["3"] },
  { action: "reset", keys: ["x"] },
  { action: "help", keys: ["?"] },
];

/** What a key does, or null where it is meant for the element that has the focus. */
export function actionOf(event: KeyboardEvent, root: Element): Action | null {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return null;
  if (takesKeys(event.target) || document.querySelector("dialog[open]")) return null;
  const inside = event.target instanceof Element && root.contains(event.target);
  if (!inside && !anywhere.value) return null;
  const key = keyOf(event);
  const found = KEYS.find(({ keys }) => keys.includes(key));
  const onStage = event.target instanceof Element && event.target.closest(".volume-stage") !== null;
  return found && (onStage || !found.onStage) ? found.action : null;
}

const PAGE = 10;
const WINDOW_SHARE = 0.04;
const STEPS: Partial<Record<Action, number>> = { next: 1, previous: -1, forward: PAGE, back: -PAGE };
const ORDER = ["axial", "coronal", "sagittal"] as const;

/** Does it; `zoom` zooms by a factor about the crosshair. */
export function perform(action: Action, view: VolumeView, zoom: (factor: number) => void): void {
  const steps = STEPS[action];
  if (steps !== undefined) view.step(steps);
  else if (action === "firstOutlined") view.goToEdge("first");
  else if (action === "lastOutlined") view.goToEdge("last");
  else if (action === "keySlice") view.home();
  else if (action === "plane") view.plane.value = ORDER[(ORDER.indexOf(view.plane.value) + 1) % 3] ?? "axial";
  else if (action === "zoomIn") zoom(1.25);
  else if (action === "zoomOut") zoom(0.8);
  else if (action === "invert") view.inverted.value = !view.inverted.value;
  else if (action === "mask") view.masked.value = !view.masked.value;
  else if (action === "fill") view.filled.value = !view.filled.value;
  else if (action === "diameters") view.diameters.value = !view.diameters.value;
  else if (action === "narrower") view.shiftWindow(0, -WINDOW_SHARE);
  else if (action === "wider") view.shiftWindow(0, WINDOW_SHARE);
  else if (action === "brighter") view.shiftWindow(-WINDOW_SHARE, 0);
  else if (action === "darker") view.shiftWindow(WINDOW_SHARE, 0);
  else if (action === "reset") view.reset();
  else if (action === "planes" || action === "axial" || action === "render") view.layout.value = action;
  else {
    const tool = TOOLS.find((name) => name === action);
    if (tool) view.tool.value = tool;
  }
}
