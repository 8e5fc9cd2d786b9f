// The measures of an outline in the order in which a report names them.
import type { Analysis, Segmentation } from "../api/types";
import type { Unit } from "./format";

export interface Interval {
  low: number;
  high: number;
  coverage: number;
}

/** One measure: numbers of one unit (several are multiplied: "50 × 44 px"), or a word. */
export interface Measure {
  name: string;
  /** The outline's label, where the measure is that of a label alone. */
  label: string | null;
  numbers: readonly number[];
  unit: Unit | null;
  word: string | null;
  interval: Interval | null;
}

function measure(
  name: string,
  numbers: readonly number[],
  unit: Unit | null,
  more: Partial<Measure> = {},
): Measure {
  return { name, label: null, numbers, unit, word: null, interval: null, ...more };
}

/** Every measure that is known of the outline of `analysis`. */
export function measuresOf(analysis: Analysis): Measure[] {
  const outline = analysis.segmentation;
  if (!outline) return [];
  return outline.volume ? ofVolume(outline, outline.volume) : ofSlice(outline);
}

function ofSlice(outline: Segmentation): Measure[] {
  const [top, left, bottom, right] = outline.bounding_box;
  const found = [area(outline, "area"), ...diameters(outline)];
  if (outline.area_px > 0) found.push(measure("box", [right - left, bottom - top], "px"));
  const labels = Object.entries(outline.labels);
  if (labels.length > 1) {
    for (const [label, pixels] of labels) found.push(measure(`label-${label}`, [pixels], "px", { label }));
  }
  return found;
}

function ofVolume(outline: Segmentation, volume: NonNullable<Segmentation["volume"]>): Measure[] {
  const found = [
    measure("volume", [volume.volume_ml], "ml", { interval: volume.volume_ml_interval ?? null }),
  ];
  for (const [label, { volume_ml }] of Object.entries(volume.labels)) {
    found.push(measure(`label-${label}`, [volume_ml], "ml", { label }));
  }
  found.push(...diameters(outline, volume));
  if (volume.sum_of_products_mm2 > 0) found.push(measure("products", [volume.sum_of_products_mm2], "mm²"));
  if (volume.voxels > 0) found.push(measure("extent", volume.extent_mm, "mm"));
  if (volume.side) found.push(measure("side", [], null, { word: volume.side }));
  found.push(measure("lesions", [volume.lesion_count], null));
  found.push(area(outline, "area_key"));
  return found;
}

function area(outline: Segmentation, name: string): Measure {
  return outline.area_mm2 === null
    ? measure(name, [outline.area_px], "px")
    : measure(name, [outline.area_mm2], "mm²");
}

function diameters(outline: Segmentation, volume?: NonNullable<Segmentation["volume"]>): Measure[] {
  const found: Measure[] = [];
  const { longest_diameter_mm: longest, perpendicular_diameter_mm: across } = outline;
  if (longest !== null) {
    found.push(
      measure("longest", [longest], "mm", { interval: volume?.longest_diameter_mm_interval ?? null }),
    );
  }
  if (across !== null) {
    const interval = volume?.perpendicular_diameter_mm_interval ?? null;
    found.push(measure("perpendicular", [across], "mm", { interval }));
  }
  return found;
}
