"""A volume onto another grid, by linear interpolation through the two affines, plane by plane.

SciPy would do the same with 35 MB more in the image (docs/decisions/0008 keeps images small). Only pictures are
resampled, never masks: those are made on the first input's grid.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid
from gateway.imaging.volume import Volume

_EDGE_VX: Final = 0.5


def resample(volume: Volume, grid: Grid) -> tuple[Volume, float]:
    """`volume` on `grid`, float32, and the share of the new voxels that it covers; 0 where it has nothing to say.

    Where the new grid is coarser, a voxel is the mean of samples spread over it, so that thin slices are averaged to
    thick ones as a scanner would.
    """
    source = np.ascontiguousarray(volume.voxels, np.float32)
    to_source = np.linalg.inv(volume.affine) @ grid.affine
    offsets = _offsets(volume.grid, grid)
    out = np.zeros(grid.shape, np.float32, order="F")
    covered = 0
    i, j = np.meshgrid(np.arange(grid.shape[0]), np.arange(grid.shape[1]), indexing="ij")
    for k in range(grid.shape[2]):
        centers = np.stack([i, j, np.full_like(i, k)], axis=-1).astype(np.float64)
        inside = np.zeros(i.shape, np.bool_)
        plane = np.zeros(i.shape, np.float32)
        for offset in offsets:
            places = (centers + offset) @ to_source[:3, :3].T + to_source[:3, 3]
            sampled, within = _sample(source, places)
            plane += sampled
            inside |= within
        out[:, :, k] = plane / len(offsets)
        covered += int(np.count_nonzero(inside))
    return Volume(out, grid, volume.sequence), covered / out.size


def _offsets(source: Grid, target: Grid) -> NDArray[np.float64]:
    """Places inside a target voxel that are sampled: along each axis as many as source voxels fit, at most 8."""
    world = dict(zip(source.world_axes, source.spacing_mm, strict=True))
    ratios = [step / world[axis] for axis, step in zip(target.world_axes, target.spacing_mm, strict=True)]
    counts = [min(8, max(1, round(ratio))) for ratio in ratios]
    along = [(np.arange(count) + 0.5) / count - 0.5 for count in counts]
    return np.stack(np.meshgrid(*along, indexing="ij"), axis=-1).reshape(-1, 3)


def _sample(source: NDArray[np.float32], places: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values at `places [..., 3]` (voxel coordinates), 0 beyond the outer half voxel, and which lie within."""
    last = np.array(source.shape) - 1
    within = np.asarray(((places >= -_EDGE_VX) & (places <= last + _EDGE_VX)).all(axis=-1))
    clipped = np.clip(places, 0, last)
    low = np.minimum(clipped.astype(np.intp), np.maximum(last - 1, 0))
    share = (clipped - low).astype(np.float32)
    strides = np.array([source.shape[1] * source.shape[2], source.shape[2], 1])
    flat, base = source.reshape(-1), low @ strides
    steps = np.where(last > 0, strides, 0)
    x, y, z = (share[..., axis] for axis in range(3))
    value = np.zeros(base.shape, np.float32)
    for corner in range(8):
        bits = (corner >> 2 & 1, corner >> 1 & 1, corner & 1)
        weight = (x if bits[0] else 1 - x) * (y if bits[1] else 1 - y) * (z if bits[2] else 1 - z)
        value += weight * flat[base + int(np.dot(bits, steps))]
    return np.where(within, value, np.float32(0)), within
