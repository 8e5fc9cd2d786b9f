// The figures of a card, grouped so that those drawn on one axis have one unit.
import { isObject, type Json, type JsonObject, partOf } from "./card";

export interface Estimate {
  value: number;
  low: number | null;
  high: number | null;
}

export interface Figure extends Estimate {
  /** As the card names it, without its group. */
  name: string;
  slices: number | null;
  groups: number | null;
  /** The same figure of a careless split. */
  leaky: Estimate | null;
}

/** Figures of one unit on one axis. */
export interface Panel {
  figures: Figure[];
  axis: { from: number; to: number };
}

const CALIBRATION = /calibration|coverage|size of the sets|interval_/;
const UNITS: ReadonlyArray<readonly [RegExp, string]> = [
  [/_mm(_|$)/, "mm"],
  [/_px$/, "px"],
  [/_ml(_|$)/, "ml"],
  [/percent/, "percent"],
  [/ ms\b/, "ms"],
  [/lost$/, "difference"],
  [/error|missed|marked|refused|difference/, "fault"],
];

function estimate(value: Json | undefined): Estimate | null {
  if (typeof value === "number") return { value, low: null, high: null };
  if (!isObject(value) || typeof value.value !== "number") return null;
  const { low, high } = value;
  return {
    value: value.value,
    low: typeof low === "number" ? low : null,
    high: typeof high === "number" ? high : null,
  };
}

/** Every figure of `card` with its group: "heat map: deletion area" is of the group "heat map". */
export function figuresOf(card: JsonObject): Array<[string, Figure]> {
  const leaky = partOf(card, "leaky");
  const summary = partOf(partOf(card, "metrics"), "summary");
  return Object.entries(summary).flatMap(([full, value]) => {
    const found = estimate(value);
    if (!found) return [];
    const at = full.indexOf(": ");
    const name = at < 0 ? full : full.slice(at + 2);
    const group = at >= 0 ? full.slice(0, at) : CALIBRATION.test(full) ? "calibration" : "main";
    const count = (key: string) => (isObject(value) && typeof value[key] === "number" ? value[key] : null);
    const figure = {
      ...found,
      name,
      slices: count("slices"),
      groups: count("groups"),
      leaky: estimate(leaky[full]),
    };
    return [[group, figure] as [string, Figure]];
  });
}

/** The panels of `card` by group, both in its order. */
export function panelsOf(card: JsonObject): Array<[string, Panel[]]> {
  const groups = new Map<string, Map<string, Figure[]>>();
  for (const [group, figure] of figuresOf(card)) {
    const units = groups.get(group) ?? new Map<string, Figure[]>();
    const unit = unitOf(figure);
    units.set(unit, [...(units.get(unit) ?? []), figure]);
    groups.set(group, units);
  }
  return [...groups].map(([group, units]) => [
    group,
    [...units.values()].map((figures) => ({ figures, axis: axisOf(figures) })),
  ]);
}

function unitOf({ name, value, low, high }: Figure): string {
  const unit = UNITS.find(([pattern]) => pattern.test(name))?.[1];
  if (unit) return unit;
  return (low ?? value) >= 0 && (high ?? value) <= 1 ? "share" : "ratio";
}

/** An axis with round ends around all points and intervals. Shares end at 1 and begin where there is something. */
function axisOf(figures: Figure[]): { from: number; to: number } {
  const points = figures.flatMap((figure) =>
    [figure, figure.leaky].flatMap((one) =>
      one ? [one.value, one.low ?? one.value, one.high ?? one.value] : [],
    ),
  );
  const least = Math.min(...points);
  const most = Math.max(...points);
  if (least > 0.3 && most <= 1) return { from: Math.floor(least * 10) / 10, to: 1 };
  const step = 10 ** Math.floor(Math.log10(Math.max(Math.abs(least), Math.abs(most), 1e-9)));
  const from = least < 0 ? Math.floor(least / step) * step : 0;
  return { from, to: Math.max(Math.ceil(most / step) * step, from + step) };
}
