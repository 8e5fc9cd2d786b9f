// How a scan is looked at. One state may be shared by several viewers: they then move together.
import { type Signal, signal } from "@preact/signals";
import { clamp } from "../ui/clamp";

export type Tool = "window" | "pan" | "zoom" | "ruler" | "probe";
export const TOOLS: readonly Tool[] = ["window", "pan", "zoom", "ruler", "probe"];
/** Where the original is shown: nowhere, left of a divider, or in a pane of its own. */
export type Comparing = "off" | "swipe" | "side";

export interface Point {
  x: number;
  y: number;
}

export interface ViewState {
  tool: Signal<Tool>;
  /** Width and middle of the gray values that are told apart, in the picture's 0..255. */
  window: Signal<number>;
  level: Signal<number>;
  invert: Signal<boolean>;
  /** 1 = the whole picture fits. */
  zoom: Signal<number>;
  /** The picture's point in the middle of the view, as shares of its width and height: of any picture's size. */
  center: Signal<Point>;
  mask: Signal<boolean>;
  fill: Signal<boolean>;
  maskOpacity: Signal<number>;
  diameters: Signal<boolean>;
  heat: Signal<boolean>;
  heatOpacity: Signal<number>;
  comparing: Signal<Comparing>;
  /** The divider's place, as a share of the view's width. */
  divider: Signal<number>;
}

const FULL_WINDOW = 255;
const MIDDLE_LEVEL = 127.5;
const MIDDLE: Point = { x: 0.5, y: 0.5 };
const ZOOM_RANGE = [0.5, 40] as const;
const WINDOW_RANGE = [1, 510] as const;

export function newViewState(): ViewState {
  return {
    tool: signal<Tool>("window"),
    window: signal(FULL_WINDOW),
    level: signal(MIDDLE_LEVEL),
    invert: signal(false),
    zoom: signal(1),
    center: signal(MIDDLE),
    mask: signal(true),
    fill: signal(false),
    maskOpacity: signal(0.35),
    diameters: signal(true),
    heat: signal(false),
    heatOpacity: signal(0.62),
    comparing: signal<Comparing>("off"),
    divider: signal(0.5),
  };
}

export function setZoom(view: ViewState, zoom: number): void {
  view.zoom.value = clamp(zoom, ...ZOOM_RANGE);
}

export function setCenter(view: ViewState, center: Point): void {
  view.center.value = { x: clamp(center.x, 0, 1), y: clamp(center.y, 0, 1) };
}

/** Wider (positive) and brighter or darker, by gray values. */
export function shiftWindow(view: ViewState, wider: number, higher: number): void {
  view.window.value = clamp(view.window.value + wider, ...WINDOW_RANGE);
  view.level.value = clamp(view.level.value + higher, 0, 255);
}

export function fit(view: ViewState): void {
  view.zoom.value = 1;
  view.center.value = MIDDLE;
}

/** As the scan came: all gray values, all of the picture. What is drawn over it stays. */
export function reset(view: ViewState): void {
  fit(view);
  view.window.value = FULL_WINDOW;
  view.level.value = MIDDLE_LEVEL;
  view.invert.value = false;
}

const NEXT: Record<Comparing, Comparing> = { off: "swipe", swipe: "side", side: "off" };
export function nextComparing(view: ViewState): void {
  view.comparing.value = NEXT[view.comparing.value];
}
