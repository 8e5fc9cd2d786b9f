import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiProblem, api, ConnectionLost } from "../api/client";
import type { Analysis } from "../api/types";
import { lost } from "../shell/connection";
import type { Filters } from "./filters";
import { extended, isRunning, type Listing, NOTHING, renewed, replaced, without } from "./listing";

const PAGE = 50;
const RUNNING_EVERY_MS = 3000;
const NEW_EVERY_MS = 15000;
const RUNNING_AT_ONCE = 12;

/** What was read before, for who comes back from an analysis. */
let kept: { key: string; listing: Listing; scrollY: number } | null = null;

export interface ReadListing {
  listing: Listing;
  loading: boolean;
  error: unknown;
  /** Where the page was when it was left; 0 at first. */
  scrollY: number;
  more: () => void;
  again: () => void;
  remove: (id: string) => void;
}

/** The work list under `filters`, kept current: rows in `shown` that run, and the top of the list. */
export function useListing(filters: Filters, shown: () => readonly Analysis[]): ReadListing {
  const key = JSON.stringify(filters);
  const before = kept?.key === key ? kept : null;
  const [listing, setListing] = useState<Listing>(before?.listing ?? NOTHING);
  const [loading, setLoading] = useState(before === null);
  const [error, setError] = useState<unknown>(null);
  const [asked, setAsked] = useState(0);
  const latest = useRef({ listing, shown });
  latest.current = { listing, shown };
  const paging = useRef<AbortController | null>(null);

  const fail = useCallback((caught: unknown) => {
    if (caught instanceof DOMException) return;
    if (caught instanceof ConnectionLost) lost();
    setError(caught);
    setLoading(false);
  }, []);

  // The first page: at once under other filters, on top of what was kept otherwise.
  useEffect(() => {
    const stop = new AbortController();
    paging.current?.abort();
    paging.current = null;
    const isBack = kept?.key === key;
    setLoading(!isBack);
    setError(null);
    page(filters, null, stop.signal).then((first) => {
      setListing((old) => (isBack ? renewed(old, first) : first));
      setLoading(false);
    }, fail);
    return () => stop.abort();
  }, [key, asked]);

  useEffect(() => {
    kept = loading || error !== null ? null : { key, listing, scrollY: window.scrollY };
  }, [key, listing, loading, error]);
  useEffect(() => {
    const remember = () => {
      if (kept) kept.scrollY = window.scrollY;
    };
    window.addEventListener("scroll", remember, { passive: true });
    return () => window.removeEventListener("scroll", remember);
  }, []);

  useEffect(() => {
    const stop = new AbortController();
    const running = setInterval(() => {
      const inSight = latest.current.shown().filter(isRunning).slice(0, RUNNING_AT_ONCE);
      for (const { id } of inSight) void readAgain(id, setListing);
    }, RUNNING_EVERY_MS);
    const fresh = setInterval(() => {
      // Further down, rows that come on top would move what is being read.
      if (document.hidden || window.scrollY > 100) return;
      page(filters, null, stop.signal).then((first) => setListing((old) => renewed(old, first)), tellLost);
    }, NEW_EVERY_MS);
    return () => {
      stop.abort();
      clearInterval(running);
      clearInterval(fresh);
    };
  }, [key]);

  const more = useCallback(() => {
    const { cursor } = latest.current.listing;
    if (cursor === null || paging.current) return;
    const stop = new AbortController();
    paging.current = stop;
    page(filters, cursor, stop.signal)
      .then((next) => setListing((old) => extended(old, next)), fail)
      .finally(() => {
        if (paging.current === stop) paging.current = null;
      });
  }, [key]);

  return {
    listing,
    loading,
    error,
    scrollY: before?.scrollY ?? 0,
    more,
    again: useCallback(() => setAsked((count) => count + 1), []),
    remove: useCallback((id: string) => setListing((old) => without(old, id)), []),
  };
}

/** The next entries that fit. The gateway looks at so many analyses at a time: where none of them fits, at the next. */
async function page(filters: Filters, from: string | null, signal: AbortSignal): Promise<Listing> {
  let cursor = from;
  for (;;) {
    const query = { ...filters, limit: PAGE, ...(cursor !== null && { cursor }) };
    const { analyses, next_cursor } = await api.analyses(query, signal);
    if (analyses.length > 0 || next_cursor === null) return { entries: analyses, cursor: next_cursor };
    cursor = next_cursor;
  }
}

async function readAgain(id: string, set: (change: (old: Listing) => Listing) => void): Promise<void> {
  try {
    const analysis = await api.analysis(id);
    set((old) => replaced(old, analysis));
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) set((old) => without(old, id));
    else tellLost(error);
  }
}

/** A reading that repeats itself: a refusal is no reason to say anything, the next one may be answered. */
function tellLost(error: unknown): void {
  if (error instanceof ConnectionLost) lost();
}
