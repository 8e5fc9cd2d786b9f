"""Connected components of a small mask, by runs along its rows: no image library is needed for it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Components:
    """The 8-connected components of a mask `shape`, as runs of pixels on a grid padded by one column on each side.

    `starts` and `ends` (exclusive) are places on the flattened padded grid, `component` is each run's component and
    `areas_px` each component's size.
    """

    shape: tuple[int, int]
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    component: NDArray[np.intp]
    areas_px: NDArray[np.intp]

    def smaller_than(self, area_px: int) -> NDArray[np.bool_]:
        """Mask `shape` of the components with fewer than `area_px` pixels."""
        rows, columns = self.shape
        out = np.zeros((rows, columns + 2), np.bool_)
        flat = out.reshape(-1)
        for run in np.flatnonzero(self.areas_px[self.component] < area_px):
            flat[self.starts[run] : self.ends[run]] = True
        return out[:, 1:-1]


def find_components(mask: NDArray[np.bool_]) -> Components:
    """The components of `mask [rows, columns]`; pixels that touch at a corner belong together."""
    rows, columns = mask.shape
    stride = columns + 2
    padded = np.zeros((rows, stride), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded.reshape(-1))
    starts, ends = np.flatnonzero(steps == 1) + 1, np.flatnonzero(steps == -1) + 1
    # The runs of the next row that a run touches: the padding keeps the rows apart.
    first = np.searchsorted(ends, starts + stride, side="left")
    last = np.searchsorted(starts, ends + stride, side="right")
    parents = list(range(len(starts)))
    for run, (low, high) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for below in range(low, high):
            one, other = _root(parents, run), _root(parents, below)
            parents[max(one, other)] = min(one, other)
    roots = np.array([_root(parents, run) for run in range(len(parents))], dtype=np.intp)
    _, component = np.unique(roots, return_inverse=True)
    areas = np.bincount(component, weights=ends - starts).astype(np.intp)
    return Components((rows, columns), starts, ends, component.astype(np.intp), areas)


def _root(parents: list[int], run: int) -> int:
    while parents[run] != run:
        parents[run] = parents[parents[run]]
        run = parents[run]
    return run
