// Addresses of the gateway's pictures of single slices.
import type { SliceListing, ViewLabel } from "../api/types";

export interface SliceChoice {
  plane: ViewLabel;
  index: number;
  sequence?: string;
  /** Labels to be drawn; none, or undefined for the bare scan. */
  labels?: readonly string[];
}

/** The picture's path. Slices out of range are those at the end. */
export function sliceAddress(
  listing: SliceListing,
  { plane, index, sequence, labels = [] }: SliceChoice,
): string {
  const slices = listing.planes[plane]?.slices ?? 1;
  const number = Math.min(slices - 1, Math.max(0, Math.round(index)));
  const asked = new URLSearchParams();
  if (labels.length > 0) {
    asked.set("overlay", "true");
    if (labels.length < listing.labels.length) asked.set("labels", labels.join(","));
  }
  if (sequence && sequence !== listing.sequences[0]) asked.set("sequence", sequence);
  const path = listing.path.replace("{plane}", plane).replace("{number}", String(number));
  return asked.size > 0 ? `${path}?${asked}` : path;
}

/** The slice of `to` that lies as deep as `index` does in `from`. */
export function relativeSlice(index: number, from: number, to: number): number {
  if (from <= 1) return Math.floor(to / 2);
  return Math.round((index / (from - 1)) * (to - 1));
}
