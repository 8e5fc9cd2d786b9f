// Where a key leads in a list of rows.
const PAGE_ROWS = 10;

/** The row that `key` moves to from `active`, or null where it is no key that moves. */
export function movedTo(key: string, active: number, count: number): number | null {
  const steps: Record<string, number> = {
    ArrowDown: active + 1,
    ArrowUp: active - 1,
    PageDown: active + PAGE_ROWS,
    PageUp: active - PAGE_ROWS,
    Home: 0,
    End: count - 1,
  };
  const wish = steps[key];
  return wish === undefined || count === 0 ? null : Math.min(count - 1, Math.max(0, wish));
}
