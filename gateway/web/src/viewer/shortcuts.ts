// The keys of the viewer: one table that the handler obeys and the dialog lists.

export type ShortcutName =
  | "window"
  | "pan"
  | "zoom"
  | "ruler"
  | "probe"
  | "mask"
  | "fill"
  | "diameters"
  | "heat"
  | "original"
  | "invert"
  | "contrast"
  | "brightness"
  | "closer"
  | "oneToOne"
  | "fit"
  | "arrows"
  | "otherEnd"
  | "erase"
  | "done"
  | "reset"
  | "help";

export interface Shortcut {
  name: ShortcutName;
  /** `KeyboardEvent.key`s, letters in lower case. */
  keys: readonly string[];
  /** As they stand on the keys. */
  shown: readonly string[];
  /** Keys that scroll a page or belong to its controls: obeyed on the picture alone. */
  onPicture?: true;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { name: "window", keys: ["w"], shown: ["W"] },
  { name: "pan", keys: ["p"], shown: ["P"] },
  { name: "zoom", keys: ["z"], shown: ["Z"] },
  { name: "ruler", keys: ["r"], shown: ["R"] },
  { name: "probe", keys: ["b"], shown: ["B"] },
  { name: "mask", keys: ["m"], shown: ["M"] },
  { name: "fill", keys: ["f"], shown: ["F"] },
  { name: "diameters", keys: ["d"], shown: ["D"] },
  { name: "heat", keys: ["h"], shown: ["H"] },
  { name: "original", keys: ["o"], shown: ["O"] },
  { name: "invert", keys: ["i"], shown: ["I"] },
  { name: "contrast", keys: ["[", "]"], shown: ["[", "]"] },
  { name: "brightness", keys: [",", "."], shown: [",", "."] },
  { name: "closer", keys: ["+", "=", "-", "_"], shown: ["+", "−"] },
  { name: "oneToOne", keys: ["1"], shown: ["1"] },
  { name: "fit", keys: ["0"], shown: ["0"] },
  {
    name: "arrows",
    keys: ["arrowleft", "arrowright", "arrowup", "arrowdown"],
    shown: ["← ↑ ↓ →"],
    onPicture: true,
  },
  { name: "otherEnd", keys: ["e"], shown: ["E"], onPicture: true },
  { name: "erase", keys: ["delete", "backspace"], shown: ["Delete"], onPicture: true },
  { name: "done", keys: ["escape", "enter"], shown: ["Esc"], onPicture: true },
  { name: "reset", keys: ["x"], shown: ["X"] },
  { name: "help", keys: ["?"], shown: ["?"] },
];

const BY_KEY = new Map(SHORTCUTS.flatMap((shortcut) => shortcut.keys.map((key) => [key, shortcut] as const)));
/** Where the keys lie, for layouts that write other letters than Latin ones. */
const BY_PLACE: Record<string, string> = {
  BracketLeft: "[",
  BracketRight: "]",
  Comma: ",",
  Period: ".",
  Slash: "?",
  Digit0: "0",
  Digit1: "1",
  Minus: "-",
  Equal: "+",
};

/** A key press as an entry of the table names it: "w" also where the key W writes a Persian letter. */
export function keyOf(event: KeyboardEvent): string {
  const key = event.key.toLowerCase();
  if (BY_KEY.has(key)) return key;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
  if (/^[\x00-\x7f]+$/.test(key)) return key;
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase();
  return letter ?? (event.code === "Slash" && !event.shiftKey ? key : (BY_PLACE[event.code] ?? key));
}

/** What the key means, or null; keys with Ctrl, Alt or Meta are the browser's. */
export function shortcutOf(event: KeyboardEvent): Shortcut | null {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return null;
  return BY_KEY.get(keyOf(event)) ?? null;
}

const TYPED = new Set(["text", "search", "number", "password", "email", "url", "tel", "date"]);

/** Whether keys pressed there are meant for it: a field, a list, a dialog. */
export function takesKeys(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return TYPED.has(target.type) || target.type === "range";
  return target.isContentEditable || target.closest("textarea, select, dialog, [role=separator]") !== null;
}
