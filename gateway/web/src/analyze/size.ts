import { number } from "../i18n";

/** Bytes as MB (or kB below a tenth), as file managers write them. */
export function megabytes(bytes: number): string {
  return bytes < 100_000 ? `${number(Math.ceil(bytes / 1000), 0)} kB` : `${number(bytes / 1_000_000, 1)} MB`;
}
