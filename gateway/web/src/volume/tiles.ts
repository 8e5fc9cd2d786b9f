// Where the planes lie on the canvas, and which voxel is under a point of them. Lengths are in CSS pixels.
import type { ViewLabel } from "../api/types";
import { AXES, type Voxel } from "./planes";

export interface Cell {
  plane: ViewLabel;
  left: number;
  top: number;
  width: number;
  height: number;
}

/** A plane as it is drawn: positions 0 and 1 of both its axes, of which voxel v of n is (v + 0.5) / n. */
export interface Tile extends Cell {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

interface Size {
  width: number;
  height: number;
}

/** The picture's size of a plane, in mm. */
function sizeMm(plane: ViewLabel, shape: Voxel, spacing: Voxel): Size {
  const { right, up } = AXES[plane];
  return { width: shape[right] * spacing[right], height: shape[up] * spacing[up] };
}

const GAP_PX = 2;

/** Cells of the planes: the axial one large, the two others beside it, or below it where the stage is tall. */
export function cells(stage: Size, planes: readonly ViewLabel[], shape: Voxel, spacing: Voxel): Cell[] {
  const [main, ...others] = planes;
  if (!main) return [];
  if (others.length === 0) return [{ plane: main, left: 0, top: 0, ...stage }];
  const whole = sizeMm(main, shape, spacing);
  if (stage.width >= stage.height) {
    const rest = others.map((plane) => sizeMm(plane, shape, spacing));
    const beside = stage.height / rest.reduce((sum, size) => sum + size.height / size.width, 0);
    const wanted = (stage.height * whole.width) / whole.height;
    const width = Math.round((stage.width * wanted) / (wanted + beside));
    return [{ plane: main, left: 0, top: 0, width, height: stage.height }, ...column(stage, width, others)];
  }
  const wanted = (stage.width * whole.height) / whole.width;
  const height = Math.round(Math.min(wanted, stage.height * 0.66));
  return [{ plane: main, left: 0, top: 0, width: stage.width, height }, ...line(stage, height, others)];
}

function column(stage: Size, left: number, planes: readonly ViewLabel[]): Cell[] {
  const height = (stage.height - GAP_PX * (planes.length - 1)) / planes.length;
  return planes.map((plane, index) => ({
    plane,
    left: left + GAP_PX,
    top: index * (height + GAP_PX),
    width: stage.width - left - GAP_PX,
    height,
  }));
}

function line(stage: Size, top: number, planes: readonly ViewLabel[]): Cell[] {
  const width = (stage.width - GAP_PX * (planes.length - 1)) / planes.length;
  return planes.map((plane, index) => ({
    plane,
    left: index * (width + GAP_PX),
    top: top + GAP_PX,
    width,
    height: stage.height - top - GAP_PX,
  }));
}

export function sameTiles(some: readonly Tile[], others: readonly Tile[]): boolean {
  return some.length === others.length && some.every((tile, index) => sameTile(tile, others[index]));
}

function sameTile(one: Tile, other: Tile | undefined): boolean {
  if (!other || one.plane !== other.plane) return false;
  const keys = ["left", "top", "width", "height", "x0", "x1", "y0", "y1"] as const;
  return keys.every((key) => Math.abs(one[key] - other[key]) < 0.01);
}

export function tileAt(tiles: readonly Tile[], x: number, y: number): Tile | null {
  const inside = (tile: Tile) =>
    x >= tile.left && x < tile.left + tile.width && y >= tile.top && y < tile.top + tile.height;
  return tiles.find(inside) ?? null;
}

/** Where a point of the volume, in (fractional) voxels, is drawn on the tile. */
export function toTile(tile: Tile, at: Voxel, shape: Voxel): { x: number; y: number } {
  const { right, up } = AXES[tile.plane];
  return {
    x: tile.x0 + ((at[right] + 0.5) / shape[right]) * (tile.x1 - tile.x0),
    y: tile.y0 + ((at[up] + 0.5) / shape[up]) * (tile.y1 - tile.y0),
  };
}

/** The point of the volume, in fractional voxels, under a point of the tile; `at` says how deep. */
export function fromTile(tile: Tile, x: number, y: number, at: Voxel, shape: Voxel): Voxel {
  const { right, up } = AXES[tile.plane];
  const found: [number, number, number] = [at[0], at[1], at[2]];
  found[right] = ((x - tile.x0) / (tile.x1 - tile.x0)) * shape[right] - 0.5;
  found[up] = ((y - tile.y0) / (tile.y1 - tile.y0)) * shape[up] - 0.5;
  return found;
}

/** Distance in mm of two points of the volume. */
export function distanceMm(a: Voxel, b: Voxel, spacing: Voxel): number {
  return Math.hypot((a[0] - b[0]) * spacing[0], (a[1] - b[1]) * spacing[1], (a[2] - b[2]) * spacing[2]);
}
