// What was found in a slice, made ready to be drawn.
import type { Analysis, TumorLabel } from "../api/types";
import { parseHex } from "../ui/color";
import { contourPath, softened, traceContour } from "./contour";
import { evidenceLut } from "./lut";
import { type Gray, Tinted } from "./picture";
import type { Axis } from "./strokes";

export interface Diameter {
  ends: Axis;
  /** Null where the spacing is unknown: then `px` is the length. */
  mm: number | null;
  px: number;
}

/** The two diameters of the outline, the longest first; those that the gateway did not place are left out. */
export function diametersOf(analysis: Analysis): Diameter[] {
  const found = analysis.segmentation;
  if (!found) return [];
  const both = [
    { ends: found.longest_axis_px, mm: found.longest_diameter_mm },
    { ends: found.perpendicular_axis_px, mm: found.perpendicular_diameter_mm },
  ];
  return both.flatMap(({ ends, mm }) => {
    if (!ends) return [];
    const [[top, left], [bottom, right]] = ends;
    return [{ ends, mm, px: Math.hypot(bottom - top, right - left) }];
  });
}

/** What the heat map is evidence for: the answer, or the likeliest tumor where the answer is none. */
export function explainedLabel({ tumor }: Analysis): TumorLabel | "tumor" {
  if (!tumor) return "tumor";
  if (tumor.label !== "no_tumor") return tumor.label;
  const others = Object.entries(tumor.probabilities).filter(([label]) => label !== "no_tumor");
  const [likeliest] = others.sort(([, a], [, b]) => b - a);
  return (likeliest?.[0] ?? "tumor") as TumorLabel | "tumor";
}

/** A mask's border, and its inside in one color. */
export interface MaskLayers {
  /** Without stairs, for the eye; along the pixels' edges, where pixels are seen. */
  outline: Path2D;
  stairs: Path2D;
  fill: HTMLCanvasElement;
}

/** `color` is #rrggbb. */
export function maskLayers(mask: Gray, color: string): MaskLayers {
  const [red, green, blue] = parseHex(color);
  const inside = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  const table = new Uint32Array(256).fill(inside);
  table[0] = 0;
  const loops = traceContour(mask.values, mask.columns, mask.rows);
  return {
    outline: contourPath(softened(loops)),
    stairs: contourPath(loops),
    fill: new Tinted(mask).paint(color, () => table),
  };
}

export function heatLayer(saliency: Gray): HTMLCanvasElement {
  return new Tinted(saliency).paint("evidence", evidenceLut);
}
