// Which side of the patient lies at which edge of the picture.
import type { Analysis, ViewLabel } from "../api/types";

export type Side = "R" | "L" | "A" | "P" | "S" | "I";
export type Edge = "top" | "bottom" | "left" | "right";
export const EDGES: readonly Edge[] = ["top", "bottom", "left", "right"];

export interface Orientation {
  /** One letter, or two where the slice is oblique ("AL": more to the front than to the left). */
  edges: Record<Edge, string>;
  /** Whether the file does not say it, and the letters are those of the radiological convention. */
  assumed: boolean;
}

const CONVENTION: Record<ViewLabel, Record<Edge, Side>> = {
  axial: { left: "R", right: "L", top: "A", bottom: "P" },
  coronal: { left: "R", right: "L", top: "S", bottom: "I" },
  sagittal: { left: "A", right: "P", top: "S", bottom: "I" },
};
const TOWARD: ReadonlyArray<readonly [Side, Side]> = [
  ["L", "R"],
  ["P", "A"],
  ["S", "I"],
];
const OPPOSITE: Record<Side, Side> = { R: "L", L: "R", A: "P", P: "A", S: "I", I: "S" };
/** A slice leans to a second side from about 20 degrees on. */
const LEANING = 0.34;

/** The letters of a slice; null where not even the view is known. */
export function orient(analysis: Analysis): Orientation | null {
  const cosines = analysis.input?.orientation;
  if (cosines) {
    const right = letters(cosines.slice(0, 3));
    const bottom = letters(cosines.slice(3));
    return {
      edges: { left: opposite(right), right, top: opposite(bottom), bottom },
      assumed: false,
    };
  }
  return analysis.view ? { edges: CONVENTION[analysis.view.label], assumed: true } : null;
}

function letters(direction: readonly number[]): string {
  return direction
    .map((part, axis) => ({ size: Math.abs(part), side: TOWARD[axis]?.[part >= 0 ? 0 : 1] ?? "" }))
    .filter(({ size }) => size >= LEANING)
    .sort((a, b) => b.size - a.size)
    .map(({ side }) => side)
    .join("");
}

function opposite(sides: string): string {
  return Array.from(sides, (side) => OPPOSITE[side as Side]).join("");
}
