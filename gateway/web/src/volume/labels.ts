// The outline's labels and their colors, which are those of the gateway's pictures (tokens.css).
import type { SliceListing } from "../api/types";
import { parseHex, type Rgb } from "../ui/color";

export interface LabelColor {
  name: string;
  /** Its number in mask.nii.gz. */
  value: number;
  rgb: Rgb;
}

/** The variable of tokens.css with the color of a label. */
export function colorName(label: string): string {
  const known = ["edema", "enhancing_tumor", "necrotic_core"];
  return known.includes(label) ? `--${label.replaceAll("_", "-")}` : "--outline";
}

/** The listing names the labels in the order of their numbers, from 1. */
export function labelColors(listing: SliceListing): LabelColor[] {
  const style = getComputedStyle(document.documentElement);
  return listing.labels.map((name, index) => ({
    name,
    value: index + 1,
    rgb: parseHex(style.getPropertyValue(colorName(name))),
  }));
}
