// Words, numbers and dates in the reader's language. A language is one file in src/locales; nothing else lists them.
import { signal } from "@preact/signals";
import english from "../locales/en.json";
import { keep, kept } from "../shell/storage";

type Tree = { [key: string]: string | Tree };
type Path<T> = {
  [K in keyof T & string]: T[K] extends string ? K : `${K}.${Path<T[K]>}`;
}[keyof T & string];
/** A key of the catalogue: "analyze.title". */
export type Key = Path<typeof english>;

const others = import.meta.glob<Tree>(["../locales/*.json", "!../locales/en.json"], { import: "default" });
const codes = ["en", ...Object.keys(others).map((path) => path.replace(/^.*\/|\.json$/g, ""))];
const STORED = "neurogate.language";

/** Every language, named in itself. */
export const languages = codes.map((code) => ({
  code,
  name: new Intl.DisplayNames(code, { type: "language" }).of(code) ?? code,
}));

interface Language {
  code: string;
  dir: "ltr" | "rtl";
  words: Map<string, string>;
}

const ENGLISH: Language = { code: "en", dir: "ltr", words: flattened(english) };
/** The language in use. Components that read it, or call `t`, are drawn again when it changes. */
export const language = signal<Language>(ENGLISH);

function flattened(tree: Tree, path = "", into = new Map<string, string>()): Map<string, string> {
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") into.set(path + key, value);
    else flattened(value, `${path}${key}.`, into);
  }
  return into;
}

/** The language asked for by ?lang=, chosen before, or set in the browser; English where none of them is there. */
export function preferred(): string {
  const asked = new URLSearchParams(location.search).get("lang");
  const wishes = [asked, kept(STORED), ...navigator.languages];
  for (const wish of wishes) {
    const found = codes.find((code) => wish?.toLowerCase().split("-")[0] === code);
    if (found) return found;
  }
  return "en";
}

let wanted = ENGLISH.code;
/** Loads and shows a language; `lasting` remembers it. Rejects where it cannot be fetched. */
export async function choose(code: string, lasting = false): Promise<void> {
  wanted = code;
  const load = others[`../locales/${code}.json`];
  const words = load ? flattened(await load()) : ENGLISH.words;
  // Another one was chosen meanwhile.
  if (wanted !== code) return;
  const dir = words.get("direction") === "rtl" ? "rtl" : "ltr";
  language.value = { code, dir, words };
  document.documentElement.lang = code;
  document.documentElement.dir = dir;
  if (lasting) keep(STORED, code);
}

/** The words of `key`, with {names} filled in. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text = language.value.words.get(key) ?? ENGLISH.words.get(key) ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : (value ?? `{${name}}`);
  });
}

/** The words of a key that is made at run time (a label, a code of a reason), or `fallback` where there are none. */
export function word(section: string, name: string, fallback = name.replaceAll("_", " ")): string {
  return (
    language.value.words.get(`${section}.${name}`) ?? ENGLISH.words.get(`${section}.${name}`) ?? fallback
  );
}

// Making a formatter takes longer than using it a hundred times: a list draws hundreds of numbers and dates.
const formatters = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();
function formatter<T extends Intl.NumberFormat | Intl.DateTimeFormat>(
  name: string,
  make: (code: string) => T,
): T {
  const { code } = language.value;
  const key = `${code} ${name}`;
  const known = formatters.get(key) ?? make(code);
  formatters.set(key, known);
  return known as T;
}

/** A number as the language writes it, with at most `digits` after the point. */
export function number(value: number, digits = 1): string {
  const options = { maximumFractionDigits: digits };
  return formatter(`number ${digits}`, (code) => new Intl.NumberFormat(code, options)).format(value);
}

/** A share of 1 as percent. Never "100 %" for what is below 1, nor "0 %" for what is above 0. */
export function percent(share: number): string {
  const digits = share > 0.99 || share < 0.01 ? 1 : 0;
  const bound = share < 1 ? Math.min(share, 0.999) : share;
  const shown = share > 0 ? Math.max(bound, 0.001) : bound;
  return new Intl.NumberFormat(language.value.code, {
    style: "percent",
    maximumFractionDigits: digits,
  }).format(shown);
}

/** A moment, short. */
export function moment(iso: string): string {
  const options = { dateStyle: "medium", timeStyle: "short" } as const;
  return formatter("moment", (code) => new Intl.DateTimeFormat(code, options)).format(new Date(iso));
}
