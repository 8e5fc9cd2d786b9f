"""The plane between the halves of the head, found in the picture: the scanner's x = 0 is only where the table was."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid, Matrix

_SAMPLED_LINES = 96
_WIDE = 0.6
_ROUNDS = 3
_BINS = 256


@dataclass(frozen=True, slots=True)
class Midline:
    """The plane x = `x_mm` + `per_y` * y + `per_z` * z in RAS mm."""

    x_mm: float
    per_y: float = 0.0
    per_z: float = 0.0

    def right_of(self, points_mm: Matrix) -> Matrix:
        """How far to the patient's right of the plane the points `[..., 3]` lie, in mm along x; negative is left."""
        plane = self.x_mm + self.per_y * points_mm[..., 1] + self.per_z * points_mm[..., 2]
        return np.asarray(points_mm[..., 0] - plane)


def find_midline(voxels: NDArray[Any], grid: Grid) -> Midline | None:
    """The plane through the middles of the lines that run across the head of `voxels [i, j, k]`, from left to right.

    Only wide lines count, so that nose, neck and crown do not; what lies far off the plane (a tumor that bulges, a cut
    field of view) is left out and the plane fitted again. None where the axes' directions are unknown or there is no
    head to see.
    """
    if not grid.oriented:
        return None
    canonical = grid.turn.apply(voxels)
    steps = [max(1, size // _SAMPLED_LINES) for size in canonical.shape[1:]]
    lines = canonical[:, :: steps[0], :: steps[1]].astype(np.float32)
    if lines.min() == lines.max():
        return None
    inside = lines > _otsu(lines)
    width = inside.shape[0] - inside[::-1].argmax(axis=0) - inside.argmax(axis=0)
    width = np.where(inside.any(axis=0), width, 0)
    wide = width > _WIDE * np.percentile(width[width > 0], 95)
    rows, slices = np.nonzero(wide)
    if rows.size < 16:
        return None
    middle = (inside.argmax(axis=0) + (width - 1) / 2.0)[rows, slices]
    places = grid.canonical.to_mm(np.stack([middle, rows * steps[0], slices * steps[1]], axis=1))
    return _fit(places)


def _fit(places: Matrix) -> Midline:
    x, terms = places[:, 0], np.column_stack([np.ones(len(places)), places[:, 1:]])
    kept = np.ones(len(places), np.bool_)
    plane: Matrix = np.zeros(3)
    for _ in range(_ROUNDS):
        plane = np.asarray(np.linalg.lstsq(terms[kept], x[kept], rcond=None)[0], np.float64)
        off = np.abs(x - terms @ plane)
        kept = off <= max(2.5 * float(np.median(off)), 1.0)
    return Midline(float(plane[0]), float(plane[1]), float(plane[2]))


def _otsu(values: NDArray[np.float32]) -> float:
    """The gray value that parts the values into two classes as unlike as can be (Otsu 1979), here head and air."""
    counts, edges = np.histogram(values, _BINS)
    centers = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(counts), counts.sum()
    weighted = np.cumsum(counts * centers)
    apart = (weighted[-1] * below - weighted * total) ** 2 / np.maximum(below * (total - below), 1)
    return float(centers[int(apart.argmax())])
