// Changes as the reader's language writes them.
import type { Comparison } from "../api/types";
import { language, number } from "../i18n";

export type Change = Comparison["longest_diameter"];

const DIGITS: Record<Change["unit"], number> = { ml: 2, mm: 1, mm2: 0 };
export const UNITS: Record<Change["unit"], string> = { ml: "ml", mm: "mm", mm2: "mm²" };

export function amount(value: number, unit: Change["unit"]): string {
  return number(value, DIGITS[unit]);
}

/** With its sign, whatever it is. */
function signed(value: number, digits: number): string {
  const format = { maximumFractionDigits: digits, signDisplay: "exceptZero" } as const;
  return new Intl.NumberFormat(language.value.code, format).format(value);
}

/** A change in percent with its sign, as the language writes it. */
export function signedPercent(percent: number): string {
  const format = { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" } as const;
  return new Intl.NumberFormat(language.value.code, format).format(percent / 100);
}

export function signedAmount(value: number, unit: Change["unit"]): string {
  return signed(value, DIGITS[unit]);
}

/** Every change of the comparison by name, in the order in which it is read. */
export function listChanges(comparison: Comparison): Array<{ name: string; change: Change }> {
  const { volume, sum_of_products, area, longest_diameter, perpendicular_diameter, labels } = comparison;
  const named: Array<[string, Change | null | undefined]> = [
    ["volume", volume],
    ["sum_of_products", sum_of_products],
    ["area", area],
    ["longest_diameter", longest_diameter],
    ["perpendicular_diameter", perpendicular_diameter],
    ...(Object.keys(labels).length > 1 ? Object.entries(labels) : []),
  ];
  return named.flatMap(([name, change]) => (change ? [{ name, change }] : []));
}

export type Judgment = "beyondGrown" | "beyondShrunk" | "within" | "unknown";

export function judge(change: Change): Judgment {
  const beyond = change.exceeds_measuring_error ?? null;
  if (beyond === null) return "unknown";
  if (!beyond) return "within";
  return change.change > 0 ? "beyondGrown" : "beyondShrunk";
}
