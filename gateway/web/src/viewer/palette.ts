// The page's colors for the canvas, which reads no style sheet.
import type { Palette } from "./strokes";

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    ground: "#000",
    halo: "rgb(0 0 0 / 75%)",
    line: token("--line"),
    text: token("--text"),
    quiet: token("--text-quiet"),
    outline: token("--outline"),
    diameter: token("--diameter"),
    accent: token("--accent"),
    font: token("--font"),
  };
}
