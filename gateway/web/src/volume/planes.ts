// The three planes of a volume. Slice numbers are those of the gateway's listing, which are the voxels of the array
// turned to right, anterior, superior: 0 is the leftmost, most posterior or most inferior one.
import type { SliceListing, ViewLabel } from "../api/types";

export const PLANES: readonly ViewLabel[] = ["axial", "coronal", "sagittal"];
/** The axis (x, y, z) that a plane is cut across, and those that run across its picture and up it. */
export const AXES: Record<ViewLabel, { across: 0 | 1 | 2; right: 0 | 1 | 2; up: 0 | 1 | 2 }> = {
  sagittal: { across: 0, right: 1, up: 2 },
  coronal: { across: 1, right: 0, up: 2 },
  axial: { across: 2, right: 0, up: 1 },
};

/** What lies at the edges of a picture: the patient's right and the nose are on the left. */
export const LETTERS: Record<ViewLabel, { top: string; bottom: string; left: string; right: string }> = {
  axial: { top: "A", bottom: "P", left: "R", right: "L" },
  coronal: { top: "S", bottom: "I", left: "R", right: "L" },
  sagittal: { top: "S", bottom: "I", left: "A", right: "P" },
};

export type Voxel = readonly [number, number, number];

/** How many voxels there are along x, y, z. */
export function shapeOf(listing: SliceListing): Voxel {
  const count = (plane: ViewLabel) => listing.planes[plane]?.slices ?? 1;
  return [count("sagittal"), count("coronal"), count("axial")];
}

/** Millimeters between voxels along x, y, z. */
export function spacingOf(listing: SliceListing): Voxel {
  const spacing = (plane: ViewLabel) => listing.planes[plane]?.spacing_mm[0] ?? 1;
  return [spacing("sagittal"), spacing("coronal"), spacing("axial")];
}

/** Of each plane the slice with most of the outline in it; the middle one where nothing is outlined. */
export function mostOutlined(listing: SliceListing): Voxel {
  const best = (plane: ViewLabel) => {
    const counts = listing.planes[plane]?.outlined_px ?? null;
    const most = counts ? Math.max(...counts) : 0;
    return counts && most > 0 ? counts.indexOf(most) : Math.floor((listing.planes[plane]?.slices ?? 1) / 2);
  };
  return [best("sagittal"), best("coronal"), best("axial")];
}

/** First and last slice of the plane with some of the outline, or null. */
export function outlinedRange(counts: readonly number[] | null): { first: number; last: number } | null {
  if (!counts) return null;
  const first = counts.findIndex((count) => count > 0);
  if (first < 0) return null;
  let last = counts.length - 1;
  while (counts[last] === 0) last -= 1;
  return { first, last };
}
