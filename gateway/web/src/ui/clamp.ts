/** `value`, or the end of `low` to `high` that is nearer to it. */
export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
