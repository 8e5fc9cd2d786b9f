// What the reader has chosen in the volume viewer. Each part is a signal, so that only what shows it is drawn again.
import { signal } from "@preact/signals";
import type { SliceListing, ViewLabel } from "../api/types";
import { clamp } from "../ui/clamp";
import { AXES, mostOutlined, outlinedRange, shapeOf, spacingOf, type Voxel } from "./planes";
import type { Layout, Look } from "./scene";

export type Tool = "probe" | "window" | "pan" | "zoom" | "ruler";
export const TOOLS: readonly Tool[] = ["probe", "window", "pan", "zoom", "ruler"];

/** A line drawn on a slice of `plane`; its ends are fractional voxels. */
export interface Measurement {
  plane: ViewLabel;
  from: Voxel;
  to: Voxel;
}

const TOLD_EVERY_MS = { card: 80, software: 300 };
const WHOLE = { low: 0, high: 255 };
const ZOOMS = { least: 0.5, most: 12 };
const FACING = { azimuth: 110, elevation: 15 };

export class VolumeView {
  readonly shape: Voxel;
  readonly spacing: Voxel;
  readonly at = signal<Voxel>([0, 0, 0]);
  /** `at`, a few times a second: for words and numbers. To draw text costs more than to draw slices. */
  readonly told = signal<Voxel>([0, 0, 0]);
  /** The plane that keys move in. */
  readonly plane = signal<ViewLabel>("axial");
  readonly tool = signal<Tool>("probe");
  readonly layout = signal<Layout>("planes");
  readonly window = signal(WHOLE);
  readonly inverted = signal(false);
  readonly zoom = signal(1);
  readonly panMm = signal<Voxel>([0, 0, 0]);
  readonly masked = signal(true);
  readonly filled = signal(false);
  readonly opacity = signal(0.4);
  readonly hidden = signal<ReadonlySet<string>>(new Set());
  readonly diameters = signal(true);
  readonly facing = signal(FACING);
  readonly measurements = signal<readonly Measurement[]>([]);

  /** Whether there is no graphics card. */
  software = false;
  private start: Voxel | null = null;
  private toldAtMs = 0;
  private telling: ReturnType<typeof setTimeout> | null = null;

  constructor(readonly listing: SliceListing) {
    this.shape = shapeOf(listing);
    this.spacing = spacingOf(listing);
    this.home();
  }

  /** Everything that the scene needs to draw. */
  look(): Look {
    const { low, high } = this.window.value;
    return {
      layout: this.layout.value,
      at: this.at.value,
      zoom: this.zoom.value,
      panMm: this.panMm.value,
      low,
      high,
      inverted: this.inverted.value,
      fill: this.filled.value ? this.opacity.value : 0,
      rim: this.masked.value ? 1 : 0,
      hidden: this.masked.value ? this.hidden.value : new Set(this.listing.labels),
      ...this.facing.value,
    };
  }

  index(plane: ViewLabel, at = this.at.value): number {
    return Math.round(at[AXES[plane].across]);
  }

  slices(plane: ViewLabel): number {
    return this.shape[AXES[plane].across];
  }

  goTo(plane: ViewLabel, index: number): void {
    const at: [number, number, number] = [...this.at.value];
    at[AXES[plane].across] = clamp(Math.round(index), 0, this.slices(plane) - 1);
    this.move(at);
  }

  step(by: number, plane = this.plane.value): void {
    this.plane.value = plane;
    this.goTo(plane, this.index(plane) + by);
  }

  /** The voxel nearest to a point. */
  point(at: Voxel): void {
    const whole = at.map((value, axis) => clamp(Math.round(value), 0, (this.shape[axis] ?? 1) - 1));
    this.move(whole as unknown as Voxel);
  }

  /** To the first or last slice of the plane with some of the outline. */
  goToEdge(end: "first" | "last"): void {
    const range = outlinedRange(this.listing.planes[this.plane.value]?.outlined_px ?? null);
    if (range) this.goTo(this.plane.value, range[end]);
  }

  /** Makes the middle of the largest lesion the place where reading begins. */
  arrive([from, to]: readonly [Voxel, Voxel]): void {
    if (this.start) return;
    this.start = [0, 1, 2].map((axis) => ((from[axis] ?? 0) + (to[axis] ?? 0)) / 2) as unknown as Voxel;
    this.home();
  }

  /** To the largest lesion, or where most is outlined, on the key slice where there is one. */
  home(): void {
    this.point(this.start ?? mostOutlined(this.listing));
    const key = this.listing.key_slice;
    if (!key) return;
    this.plane.value = key.plane;
    this.goTo(key.plane, key.index);
  }

  private move(at: Voxel): void {
    this.at.value = at;
    if (this.telling) return;
    const everyMs = this.software ? TOLD_EVERY_MS.software : TOLD_EVERY_MS.card;
    const waitMs = everyMs - (performance.now() - this.toldAtMs);
    if (waitMs <= 0) this.tell();
    else this.telling = setTimeout(() => this.tell(), waitMs);
  }

  private tell(): void {
    this.telling = null;
    this.toldAtMs = performance.now();
    this.told.value = this.at.value;
  }

  /** Moves the window by shares of its whole range. */
  shiftWindow(level: number, width: number): void {
    const { low, high } = this.window.value;
    this.setWindow((low + high) / 2 + level * 255, high - low + width * 255);
  }

  setWindow(level: number, width: number): void {
    const wide = clamp(Math.round(width), 1, 510);
    const middle = clamp(level, 0, 255);
    this.window.value = { low: middle - wide / 2, high: middle + wide / 2 };
  }

  zoomBy(factor: number): number {
    return clamp(this.zoom.value * factor, ZOOMS.least, ZOOMS.most);
  }

  toggle(label: string): void {
    const hidden = new Set(this.hidden.value);
    if (!hidden.delete(label)) hidden.add(label);
    this.hidden.value = hidden;
  }

  /** Picture as it was at first; the place in the volume and the outline's colors stay. */
  reset(): void {
    this.window.value = WHOLE;
    this.inverted.value = false;
    this.zoom.value = 1;
    this.panMm.value = [0, 0, 0];
    this.measurements.value = [];
    this.facing.value = FACING;
  }
}
