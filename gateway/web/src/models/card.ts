// A model card as the gateway hands it on: what is known of it by name, and the rest as it is.
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

const KNOWN = new Set([
  "name",
  "version",
  "title",
  "intended_use",
  "notice",
  "architecture",
  "parameters",
  "file_bytes",
  "sha256",
  "training_sets",
  "licences",
  "groups",
  "protocol",
  "config",
  "seed",
  "history",
  "metrics",
  "leaky",
  "limits",
  "verification",
  "reproduce",
]);
const KNOWN_METRICS = new Set(["summary", "tables", "notes"]);

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function textOf(card: JsonObject, name: string): string | null {
  const value = card[name];
  return typeof value === "string" && value !== "" ? value : null;
}

export function numberOf(card: JsonObject, name: string): number | null {
  const value = card[name];
  return typeof value === "number" ? value : null;
}

/** The strings of a list; none where there is no list. */
export function linesOf(card: JsonObject, name: string): string[] {
  const value = card[name];
  return Array.isArray(value) ? value.filter((line) => typeof line === "string") : [];
}

export function partOf(card: JsonObject, name: string): JsonObject {
  const value = card[name];
  return isObject(value) ? value : {};
}

/** The loss of each epoch; empty where the card has none. */
export function lossesOf(card: JsonObject): number[] {
  const history = card.history;
  if (!Array.isArray(history)) return [];
  return history.flatMap((epoch) => (isObject(epoch) && typeof epoch.loss === "number" ? [epoch.loss] : []));
}

/** Tables by name: rows of one shape, the first column `label`. */
export function tablesOf(card: JsonObject): Array<[string, JsonObject[]]> {
  return Object.entries(partOf(partOf(card, "metrics"), "tables")).flatMap(([name, rows]) =>
    Array.isArray(rows) && rows.length > 0 && rows.every(isObject)
      ? [[name, rows] as [string, JsonObject[]]]
      : [],
  );
}

/** What no part of the page shows by name. Empty values say nothing and are left out. */
export function restOf(card: JsonObject): JsonObject {
  const metrics = partOf(card, "metrics");
  const rest = [
    ...Object.entries(card).filter(([name]) => !KNOWN.has(name)),
    ...Object.entries(metrics).filter(([name]) => !KNOWN_METRICS.has(name)),
  ];
  return Object.fromEntries(rest.filter(([, value]) => !isEmpty(value)));
}

export function isEmpty(value: Json): boolean {
  if (value === null || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** A name as a key of the catalogue: "macro-F1" is "macro_f1". */
export function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_|_$/g, "");
}
