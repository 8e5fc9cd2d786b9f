// How findings are written: numbers with their unit, in an order that right-to-left text does not turn.
import { language, number } from "../i18n";

export type Unit = "mm" | "mm²" | "ml" | "px" | "ms";

/** Keeps `text` left to right inside a sentence of any direction. */
export function isolated(text: string): string {
  return `\u2066${text}\u2069`;
}

/** As many digits after the point as a value of this size is known to. */
export function digitsOf(value: number): number {
  const size = Math.abs(value);
  if (size >= 100) return 0;
  return size >= 1 || size === 0 ? 1 : 2;
}

/** A number with exactly `digits` after the point. */
export function fixed(value: number, digits: number): string {
  const form = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(language.value.code, form).format(value);
}

/** A length, an area, a volume: "45.9 mm". */
export function quantity(value: number, unit: Unit): string {
  const digits = unit === "px" ? 0 : digitsOf(value);
  return isolated(`${fixed(value, digits)}\u00a0${unit}`);
}

/** A change with its sign: "+0.8 mm²", "−3 px". */
export function signed(value: number, unit: Unit): string {
  const sign = value > 0 ? "+" : value < 0 ? "\u2212" : "\u00b1";
  const digits = unit === "px" ? 0 : digitsOf(value);
  return isolated(`${sign}${number(Math.abs(value), digits)}\u00a0${unit}`);
}

/** Both ends of an interval: "12.1–18.4 ml". */
export function span(low: number, high: number, unit: Unit | null): string {
  const digits = digitsOf(Math.max(Math.abs(low), Math.abs(high)));
  const ends = `${fixed(low, digits)}\u2013${fixed(high, digits)}`;
  return isolated(unit ? `${ends}\u00a0${unit}` : ends);
}

/** A duration; in seconds from ten thousand milliseconds on. */
export function duration(ms: number): string {
  return ms >= 10_000
    ? isolated(`${number(ms / 1000, 1)}\u00a0s`)
    : isolated(`${number(ms, ms < 100 ? 1 : 0)}\u00a0ms`);
}

/** A file's size, in decimal units. */
export function fileSize(bytes: number): string {
  if (bytes >= 1e6) return isolated(`${number(bytes / 1e6, 1)}\u00a0MB`);
  return isolated(`${number(Math.max(bytes / 1e3, 0.1), 1)}\u00a0kB`);
}
