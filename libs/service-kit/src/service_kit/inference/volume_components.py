"""Connected components of a mask with three axes, by runs along its last one: no image library is needed for it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class VolumeComponents:
    """The 26-connected components of a mask, the largest first.

    `labels [i, j, k]` is 0 outside and n for component n, `sizes_vx[n - 1]` its number of voxels.
    """

    labels: NDArray[np.int32]
    sizes_vx: NDArray[np.intp]


def find_volume_components(mask: NDArray[np.bool_]) -> VolumeComponents:
    """The components of `mask [i, j, k]`; voxels that touch at a corner belong together."""
    planes, rows, columns = mask.shape
    padded = np.zeros((planes, rows + 2, columns + 2), np.bool_)
    padded[:, 1:-1, 1:-1] = mask
    flat = padded.reshape(-1)
    steps = np.diff(flat.view(np.int8))
    starts, ends = np.flatnonzero(steps == 1) + 1, np.flatnonzero(steps == -1) + 1
    lengths = ends - starts
    roots = _join(len(starts), *_touching(starts, ends, columns + 2, (rows + 2) * (columns + 2)))
    _, component = np.unique(roots, return_inverse=True)
    sizes = np.bincount(component, weights=lengths).astype(np.intp)
    by_size = np.argsort(-sizes, kind="stable")
    number = np.empty(len(sizes), np.int32)
    number[by_size] = np.arange(1, len(sizes) + 1)
    labels = np.zeros(flat.shape, np.int32)
    labels[flat] = np.repeat(number[component], lengths)
    return VolumeComponents(labels.reshape(padded.shape)[:, 1:-1, 1:-1], sizes[by_size])


def _touching(
    starts: NDArray[np.intp], ends: NDArray[np.intp], row: int, plane: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of runs that touch: each with those of the next row, and of three rows of the next plane."""
    ones: list[NDArray[np.intp]] = []
    others: list[NDArray[np.intp]] = []
    for offset in (row, plane - row, plane, plane + row):
        first = np.searchsorted(ends, starts + offset, side="left")
        count = np.searchsorted(starts, ends + offset, side="right") - first
        count = np.maximum(count, 0)
        ones.append(np.repeat(np.arange(len(starts)), count))
        before = np.cumsum(count) - count
        others.append(np.arange(int(count.sum())) - np.repeat(before - first, count))
    return np.concatenate(ones), np.concatenate(others)


def _join(count: int, ones: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.intp]:
    """The smallest run of each run's component: larger roots are hung below smaller ones until no pair differs."""
    roots = np.arange(count)
    while True:
        one, other = roots[ones], roots[others]
        apart = one != other
        if not apart.any():
            return roots
        np.minimum.at(roots, np.maximum(one, other)[apart], np.minimum(one, other)[apart])
        while not np.array_equal(roots, above := roots[roots]):
            roots = above
