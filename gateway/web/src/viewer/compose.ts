// From the state of a stage to the scene that is drawn. Reads signals: who calls it in an effect hears of changes.
import { language, number, t } from "../i18n";
import type { Diameter, MaskLayers } from "./found";
import { windowLut } from "./lut";
import type { Tinted } from "./picture";
import type { Found, PaneScene, Scene } from "./render";
import { lengthOf } from "./ruler";
import { panesOf, placeIn, type Stage } from "./stage";
import type { Palette } from "./strokes";

/** From this zoom on the reader looks at pixels, not at anatomy. */
const CRISP_ZOOM = 3;

export interface Layers {
  picture: Tinted;
  mask: MaskLayers | null;
  heat: HTMLCanvasElement | null;
  diameters: readonly Diameter[];
}

export function millimeters(mm: number): string {
  return `${number(mm, mm < 10 ? 1 : 0)} mm`;
}

function lengthName(mm: number | null, px: number): string {
  return mm === null ? `${number(px, 0)} px` : millimeters(mm);
}

export function rulerName(stage: Stage, ends: Parameters<typeof lengthOf>[0]): string {
  const length = lengthOf(ends, stage.spacingMm);
  return `${number(length, 1)} ${stage.spacingMm ? "mm" : "px"}`;
}

export function compose(stage: Stage, layers: Layers, palette: Palette, density: number): Scene {
  const { view, marks, size } = stage;
  const boxes = panesOf(stage);
  const key = [view.window.value, view.level.value, view.invert.value].join();
  const [window, level, invert] = [view.window.value, view.level.value, view.invert.value];
  const picture = layers.picture.paint(key, () => windowLut(window, level, invert));
  const found = findings(stage, layers);
  const swiped = view.comparing.value === "swipe" ? view.divider.value * size.value.width : null;
  return {
    ...size.value,
    density,
    palette,
    shape: stage.shape,
    spacingMm: stage.spacingMm,
    nameLength: millimeters,
    disclaimer: t("shell.disclaimer"),
    direction: language.value.dir,
    probe: marks.probe.value,
    rulers: marks.rulers.value.map((ruler) => ({
      ruler,
      label: rulerName(stage, ruler.ends),
      chosen: marks.chosen.value?.id === ruler.id,
    })),
    panes: boxes.map(
      (box, index): PaneScene => ({
        box,
        at: placeIn(stage, box),
        picture,
        crisp: view.zoom.value >= CRISP_ZOOM,
        found: boxes.length > 1 && index === 0 ? null : found,
        bareUntil: swiped,
      }),
    ),
  };
}

function findings({ view }: Stage, { mask, heat, diameters }: Layers): Found {
  const outlined = view.mask.value ? mask : null;
  return {
    heat: view.heat.value && heat ? { canvas: heat, opacity: view.heatOpacity.value } : null,
    fill: outlined && view.fill.value ? { canvas: outlined.fill, opacity: view.maskOpacity.value } : null,
    outline: (view.zoom.value >= CRISP_ZOOM ? outlined?.stairs : outlined?.outline) ?? null,
    axes:
      outlined && view.diameters.value
        ? diameters.map(({ ends, mm, px }) => ({ ends, label: lengthName(mm, px) }))
        : [],
  };
}
