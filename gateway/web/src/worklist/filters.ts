// What of the work list is asked for. It lives in the address, so that it can be kept, shared and gone back to.
export const FILTERS = {
  state: ["queued", "running", "succeeded", "failed", "canceled"],
  verdict: ["answer", "review", "refuse"],
  label: ["glioma", "meningioma", "pituitary", "no_tumor", "tumor"],
  kind: ["slice", "series", "volume"],
} as const;
export type FilterName = keyof typeof FILTERS;
export const FILTER_NAMES = Object.keys(FILTERS) as FilterName[];
export type Filters = Partial<Record<FilterName | "q", string>>;

/** The filters in an address's query; what is none is left out. */
export function filtersOf(query: Record<string, string>): Filters {
  const filters: Filters = {};
  for (const name of FILTER_NAMES) {
    const value = query[name];
    if (value && (FILTERS[name] as readonly string[]).includes(value)) filters[name] = value;
  }
  if (query.q) filters.q = query.q;
  return filters;
}

/** The address of the work list with `filters`; the rest of `search` (the language) stays. */
export function addressOf(filters: Filters, search: string): string {
  const asked = new URLSearchParams(search);
  for (const name of [...FILTER_NAMES, "q"] as const) {
    const value = filters[name];
    if (value) asked.set(name, value);
    else asked.delete(name);
  }
  const text = asked.toString();
  return text ? `/worklist?${text}` : "/worklist";
}

export function isFiltered(filters: Filters): boolean {
  return Object.values(filters).some(Boolean);
}
