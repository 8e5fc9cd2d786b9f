// How figures of a card are written.
import { fixed } from "../findings/format";
import { number } from "../i18n";

/** Digits after the point for numbers that stand together: three, fewer where the largest is large; 0 where all are
 * whole. */
export function digitsFor(values: readonly number[]): number {
  if (values.every(Number.isInteger)) return 0;
  const most = Math.max(...values.map(Math.abs));
  if (most >= 100) return 0;
  return most >= 10 ? 1 : 3;
}

/** A figure with so many digits; very small ones as a power of ten. */
export function figure(value: number, digits = digitsFor([value])): string {
  if (digits === 0) return number(value, 0);
  const size = Math.abs(value);
  return size > 0 && size < 0.0005 ? value.toExponential(1) : fixed(value, digits);
}

/** The ends and the middle of an axis, with the digits that tell them apart. */
export function ticks({ from, to }: { from: number; to: number }): string[] {
  const range = to - from;
  const digits = range >= 4 ? 0 : range >= 0.1 ? 2 : 3;
  return [from, (from + to) / 2, to].map((value) => fixed(value, digits));
}
