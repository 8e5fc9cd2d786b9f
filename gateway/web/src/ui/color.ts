export type Rgb = readonly [number, number, number];

/** "#00d1ff" as numbers of 0..255; white where it is none. */
export function parseHex(hex: string): Rgb {
  const digits = /^#([0-9a-f]{6})$/i.exec(hex.trim())?.[1];
  if (!digits) return [255, 255, 255];
  const number = Number.parseInt(digits, 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}
