// What a row says of an analysis.
import type { Analysis, Decision } from "../api/types";
import { number, word } from "../i18n";

const FORMATS: Record<string, string> = { nifti: "NIfTI", webp: "WebP" };

/** The last reader's decision, or null. */
export function decisionOf({ reviews }: Analysis): Decision | null {
  return reviews.at(-1)?.decision ?? null;
}

/** "Slice, axial", or null before the files are read. */
export function scanOf({ input, view }: Analysis): string | null {
  if (!input) return null;
  const kind = word("kind", input.kind);
  return view && input.kind === "slice" ? `${kind} · ${word("view", view.label)}` : kind;
}

/** "512 × 512 · PNG". */
export function sizeOf({ input }: Analysis): string | null {
  if (!input) return null;
  const { rows, columns, slices } = input;
  const sides = slices > 1 ? [columns, rows, slices] : [columns, rows];
  return `${sides.map((side) => number(side, 0)).join(" × ")} · ${FORMATS[input.format] ?? input.format.toUpperCase()}`;
}

/** The part of an id that tells it from others: ids begin with their time. */
export function shortId(id: string): string {
  return id.slice(-8);
}
