// The files of an analysis that can be kept: their order, their formats.
import type { Analysis } from "../api/types";

export interface Download {
  /** The name of the link. */
  name: string;
  path: string;
  /** As people write it: "PNG", "NIfTI". */
  format: string;
}

const ORDER = ["report_pdf", "report", "overlay", "input", "mask", "heatmap", "saliency", "evidence"];
const NOT_FILES = new Set(["self", "events", "cancel", "review", "slices", "sequences"]);
const FORMATS: ReadonlyArray<readonly [string, string]> = [
  [".nii.gz", "NIfTI"],
  [".png", "PNG"],
  [".pdf", "PDF"],
  [".html", "HTML"],
  [".json", "JSON"],
  [".zip", "ZIP"],
];

/** What `analysis` has for keeping, the report first. */
export function downloadsOf(analysis: Analysis): Download[] {
  const found = Object.entries(analysis.links)
    .filter(([name, path]) => !NOT_FILES.has(name) && !path.includes("{"))
    .map(([name, path]) => ({ name, path, format: formatOf(path) }))
    .filter((entry) => entry.format !== "");
  return found.sort((one, other) => rank(one.name) - rank(other.name));
}

function rank(name: string): number {
  const place = ORDER.indexOf(name);
  return place < 0 ? ORDER.length : place;
}

function formatOf(path: string): string {
  const file = path.split("?")[0] ?? path;
  return FORMATS.find(([ending]) => file.endsWith(ending))?.[1] ?? "";
}
