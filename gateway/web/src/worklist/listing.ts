// The entries of the work list as they are read, page after page.
import type { Analysis } from "../api/types";
import { FINAL_STATES } from "../api/types";

export interface Listing {
  entries: readonly Analysis[];
  /** Where the next page begins; null after the last one. */
  cursor: string | null;
}

export const NOTHING: Listing = { entries: [], cursor: null };

/** With the next page at its end; an entry that moved to it since is there once. */
export function extended(listing: Listing, page: Listing): Listing {
  const known = new Set(listing.entries.map(({ id }) => id));
  const added = page.entries.filter(({ id }) => !known.has(id));
  return { entries: [...listing.entries, ...added], cursor: page.cursor };
}

/** With the first page read again: what is new comes on top, what was erased goes. */
export function renewed(listing: Listing, first: Listing): Listing {
  const oldest = first.entries.at(-1);
  if (!oldest || first.cursor === null) return first;
  const fresh = new Set(first.entries.map(({ id }) => id));
  const older = listing.entries.filter((entry) => !fresh.has(entry.id) && isBefore(entry, oldest));
  const isLonger = older.length > 0;
  return { entries: [...first.entries, ...older], cursor: isLonger ? listing.cursor : first.cursor };
}

export function replaced(listing: Listing, analysis: Analysis): Listing {
  const entries = listing.entries.map((entry) => (entry.id === analysis.id ? analysis : entry));
  return { ...listing, entries };
}

export function without(listing: Listing, id: string): Listing {
  return { ...listing, entries: listing.entries.filter((entry) => entry.id !== id) };
}

export function isRunning(analysis: Analysis): boolean {
  return !FINAL_STATES.includes(analysis.state);
}

/** Of two analyses the one that was made first, first. */
export function byAge(first: Analysis, second: Analysis): [Analysis, Analysis] {
  return isBefore(second, first) ? [second, first] : [first, second];
}

function isBefore(entry: Analysis, other: Analysis): boolean {
  const times = Date.parse(entry.created_at) - Date.parse(other.created_at);
  return times < 0 || (times === 0 && entry.id < other.id);
}
