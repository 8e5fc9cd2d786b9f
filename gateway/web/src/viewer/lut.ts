// From gray values and evidence to colors, by tables of 256 entries.

/** Polynomial fit of matplotlib's "inferno" (CC0), a row a power: as in gateway.reporting.colors. */
const INFERNO: ReadonlyArray<readonly [number, number, number]> = [
  [0.0002189403691192265, 0.001651004631001012, -0.01948089843709184],
  [0.1065134194856116, 0.5639564367884091, 3.932712388889277],
  [11.60249308247187, -3.972853965665698, -15.9423941062914],
  [-41.70399613139459, 17.43639888205313, 44.35414519872813],
  [77.162935699427, -33.40235894210092, -81.80730925738993],
  [-71.31942824499214, 32.62606426397723, 73.20951985803202],
  [25.13112622477341, -12.24266895238567, -23.07032500287172],
];
/** Between these strengths the evidence comes into sight: as in gateway.reporting.heatmap. */
const FROM = 0.12;
const TO = 0.65;

/** A pixel as ImageData's bytes lie in memory. Every machine that runs a browser is little-endian. */
function packed(red: number, green: number, blue: number, alpha: number): number {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Gray values 0..255 -> pixels, with `window` values around `level` spread over black to white. */
export function windowLut(window: number, level: number, invert: boolean): Uint32Array {
  const table = new Uint32Array(256);
  const low = level - window / 2;
  for (let value = 0; value < 256; value++) {
    const share = Math.min(Math.max((value - low) / window, 0), 1);
    const gray = Math.round(255 * (invert ? 1 - share : share));
    table[value] = packed(gray, gray, gray, 255);
  }
  return table;
}

/** The color of evidence 0..1 as red, green, blue in 0..255. The map's black end is left out. */
function evidenceColor(strength: number): [number, number, number] {
  const x = 0.15 + 0.8 * Math.min(Math.max(strength, 0), 1);
  const channel = (index: 0 | 1 | 2) => {
    const value = INFERNO.reduceRight((sum, row) => sum * x + row[index], 0);
    return Math.round(255 * Math.min(Math.max(value, 0), 1));
  };
  return [channel(0), channel(1), channel(2)];
}

/** How much of the anatomy evidence of this strength covers, 0..1: weak evidence is transparent. */
function evidenceAlpha(strength: number): number {
  const ramp = Math.min(Math.max((strength - FROM) / (TO - FROM), 0), 1);
  return ramp * ramp * (3 - 2 * ramp);
}

/** Evidence 0..255 -> pixels with alpha. */
export function evidenceLut(): Uint32Array {
  const table = new Uint32Array(256);
  for (let value = 0; value < 256; value++) {
    const [red, green, blue] = evidenceColor(value / 255);
    table[value] = packed(red, green, blue, Math.round(255 * evidenceAlpha(value / 255)));
  }
  return table;
}

/** The evidence's colors as a CSS gradient toward the inline end of left-to-right text. */
export function evidenceGradient(): string {
  const stops = Array.from({ length: 17 }, (_, index) => `rgb(${evidenceColor(index / 16).join(" ")})`);
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

/** `values` through `table` into `pixels`. */
export function look(values: Uint8Array, table: Uint32Array, pixels: Uint32Array): void {
  for (let index = 0; index < values.length; index++) {
    pixels[index] = table[values[index] as number] as number;
  }
}
