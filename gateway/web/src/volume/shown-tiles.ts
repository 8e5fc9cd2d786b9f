// Where NiiVue drew the planes last.
import type { Niivue } from "@niivue/niivue";
import type { ViewLabel } from "../api/types";
import type { Cell, Tile } from "./tiles";

/** Axes of NiiVue's millimeters that run across a plane's picture and up it. */
const ACROSS_AND_UP: Record<ViewLabel, readonly [0 | 1, 1 | 2]> = {
  axial: [0, 1],
  coronal: [0, 2],
  sagittal: [1, 2],
};

/** The planes on the canvas, in CSS pixels; `cells` are those that were asked for, in their order. */
export function tilesOf(nv: Niivue, cells: readonly Cell[]): Tile[] {
  const dpr = nv.uiData.dpr ?? 1;
  const ends = [nv.frac2mm([0, 0, 0]), nv.frac2mm([1, 1, 1])];
  return nv.screenSlices.flatMap(({ leftTopWidthHeight, leftTopMM, fovMM }, index) => {
    const cell = cells[index];
    if (!cell) return [];
    const [left = 0, top = 0, width = 0, height = 0] = leftTopWidthHeight.map((px) => px / dpr);
    const [across, up] = ACROSS_AND_UP[cell.plane];
    const [x0 = 0, x1 = 1] = ends.map(
      (mm) => left + (((mm[across] ?? 0) - (leftTopMM[0] ?? 0)) / (fovMM[0] ?? 1)) * width,
    );
    const [y0 = 0, y1 = 1] = ends.map(
      (mm) => top + height - (((mm[up] ?? 0) - (leftTopMM[1] ?? 0)) / (fovMM[1] ?? 1)) * height,
    );
    // A mirrored plane has a negative width.
    const shown = width < 0 ? { left: left + width, width: -width } : { left, width };
    return [{ plane: cell.plane, ...shown, top, height, x0, x1, y0, y1 }];
  });
}
