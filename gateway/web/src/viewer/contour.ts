// The border of a mask along its pixels' edges.

/** Closed loops of corners [x, y, x, y, ...]; the mask lies to the right of each edge. */
export type Loop = number[];

const EAST = 0;
const SOUTH = 1;
const WEST = 2;
const NORTH = 3;
const STEP_X = [1, 0, -1, 0] as const;
const STEP_Y = [0, 1, 0, -1] as const;

/** All borders, outer ones clockwise, of `mask` (`rows * columns`, not 0 is inside). Straight runs are one edge. */
export function traceContour(mask: Uint8Array, columns: number, rows: number): Loop[] {
  const edges = findEdges(mask, columns, rows);
  const across = columns + 1;
  const loops: Loop[] = [];
  for (const start of edges.keys()) {
    for (let first = takeEdge(edges, start, null); first !== null; first = takeEdge(edges, start, null)) {
      const loop: Loop = [];
      let corner = start;
      let heading: number | null = first;
      let before = -1;
      while (heading !== null) {
        if (heading !== before) loop.push(corner % across, Math.floor(corner / across));
        before = heading;
        corner += STEP_X[heading as 0] + STEP_Y[heading as 0] * across;
        if (corner === start) break;
        heading = takeEdge(edges, corner, heading);
      }
      loops.push(loop);
    }
  }
  return loops;
}

/** Corner -> directions (bits) of the border edges that leave it. */
function findEdges(mask: Uint8Array, columns: number, rows: number): Map<number, number> {
  const edges = new Map<number, number>();
  const across = columns + 1;
  const inside = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < columns && y < rows && mask[y * columns + x] !== 0;
  const add = (x: number, y: number, heading: number) => {
    const corner = y * across + x;
    edges.set(corner, (edges.get(corner) ?? 0) | (1 << heading));
  };
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      if (mask[y * columns + x] === 0) continue;
      if (!inside(x, y - 1)) add(x, y, EAST);
      if (!inside(x + 1, y)) add(x + 1, y, SOUTH);
      if (!inside(x, y + 1)) add(x + 1, y + 1, WEST);
      if (!inside(x - 1, y)) add(x, y + 1, NORTH);
    }
  }
  return edges;
}

/** Removes an edge that leaves `corner`. Where two meet, the one that turns right: pixels that touch at a corner stay two. */
function takeEdge(edges: Map<number, number>, corner: number, heading: number | null): number | null {
  const leaving = edges.get(corner) ?? 0;
  if (leaving === 0) return null;
  const wished =
    heading === null ? [EAST, SOUTH, WEST, NORTH] : [1, 0, 3].map((turn) => (heading + turn) % 4);
  const next = wished.find((direction) => leaving & (1 << direction));
  if (next === undefined) return null;
  edges.set(corner, leaving & ~(1 << next));
  return next;
}

/** The same border through the middles of its unit edges: at most a third of a pixel off, and without stairs. */
export function softened(loops: readonly Loop[]): Loop[] {
  return loops.map((loop) => {
    const middles: Loop = [];
    for (let index = 0; index < loop.length; index += 2) {
      const [x, y] = [loop[index] as number, loop[index + 1] as number];
      const next = (index + 2) % loop.length;
      const [dx, dy] = [(loop[next] as number) - x, (loop[next + 1] as number) - y];
      const length = Math.abs(dx) + Math.abs(dy);
      // Of a straight run the first and the last middle say all.
      for (const along of length > 1 ? [0.5, length - 0.5] : [0.5]) {
        middles.push(x + (along * dx) / length, y + (along * dy) / length);
      }
    }
    return middles;
  });
}

/** Loops as a path in picture pixels. */
export function contourPath(loops: readonly Loop[]): Path2D {
  const path = new Path2D();
  for (const loop of loops) {
    for (let index = 0; index < loop.length; index += 2) {
      const [x, y] = [loop[index] as number, loop[index + 1] as number];
      if (index === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    path.closePath();
  }
  return path;
}
