// What a file's name says about its sequence, by the customs of BraTS and hospital exports. It groups files and names
// cards; what a volume's files are is read from their names by the gateway, which says that it did.
import type { Sequence } from "./exam";

const ENDING = /(\.(nii|gz|zip|dcm|ima|png|jpe?g|webp|tiff?|bmp))+$/;
const WORDS: ReadonlyArray<readonly [RegExp, Sequence]> = [
  // BraTS 2023 writes t1n, t1c, t2w, t2f; the years before t1, t1ce, t2, flair.
  [/(?<![a-z0-9])t2[ _-]?f(?![a-z])/, "flair"],
  [/flair/, "flair"],
  [/(?<![a-z0-9])t1[ _-]?w?[ _-]?(ce|c|gd|gad|post|km)(?![a-z])/, "t1ce"],
  [/(?<![a-z0-9])t1[ _-]?n?w?(?![a-z0-9])/, "t1"],
  [/(?<![a-z0-9])t2[ _-]?w?(?![a-z0-9])/, "t2"],
];
const LABELS = /(?<![a-z])(seg|segmentation|mask|labels?|ground[ _-]?truth)(?![a-z])/;

export interface ReadName {
  sequence: Sequence | null;
  /** Whether it names an outline rather than a scan. */
  labels: boolean;
  /** The name without its ending and sequence: files of one exam share it. */
  stem: string;
}

export function readName(filename: string): ReadName {
  const name = filename.toLowerCase().replace(ENDING, "");
  const found = WORDS.find(([pattern]) => pattern.test(name));
  const labels = LABELS.test(name);
  const words = labels ? LABELS : found?.[0];
  const stem = (words ? name.replace(words, "") : name).replace(/^[ ._-]+|[ ._-]+$/g, "");
  return { sequence: labels ? null : (found?.[1] ?? null), labels, stem };
}
