import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Rows from `first` to before `end`. */
export interface Span {
  first: number;
  end: number;
}

const BEYOND = 6;

/** Which of `count` rows of `height_px` are near the part of their box that can be seen. */
function spanOf(top_px: number, view_px: number, height_px: number, count: number): Span {
  const first = Math.max(0, Math.floor(-top_px / height_px) - BEYOND);
  const end = Math.min(count, Math.ceil((view_px - top_px) / height_px) + BEYOND);
  return { first: Math.min(first, Math.max(0, count - 1)), end: Math.max(end, 0) };
}

/** The rows of `box` to draw, as the window is scrolled. */
export function useSpan(box: RefObject<HTMLElement | null>, height_px: number, count: number): Span {
  const [span, setSpan] = useState<Span>({ first: 0, end: Math.min(count, 30) });
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      if (!box.current) return;
      const { top } = box.current.getBoundingClientRect();
      const next = spanOf(top, window.innerHeight, height_px, count);
      setSpan((old) => (old.first === next.first && old.end === next.end ? old : next));
    };
    const soon = () => {
      if (frame === 0) frame = requestAnimationFrame(look);
    };
    look();
    window.addEventListener("scroll", soon, { passive: true });
    window.addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener("scroll", soon);
      window.removeEventListener("resize", soon);
    };
  }, [box, height_px, count]);
  return span;
}

/** Pixels of `wide_rem`, or of `narrow_rem` where the window is too narrow for a table. */
export function useRowHeight(wide_rem: number, narrow_rem: number, narrow: string): number {
  const measure = () => {
    const rem_px = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    return rem_px * (matchMedia(narrow).matches ? narrow_rem : wide_rem);
  };
  const [height_px, setHeight] = useState(measure);
  useEffect(() => {
    const query = matchMedia(narrow);
    const change = () => setHeight(measure());
    query.addEventListener("change", change);
    return () => query.removeEventListener("change", change);
  }, [wide_rem, narrow_rem, narrow]);
  return height_px;
}
