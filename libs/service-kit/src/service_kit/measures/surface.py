"""The surface of an outline made of voxels."""

import numpy as np
from numpy.typing import NDArray


def surface_mm2(mask: NDArray[np.bool_], edges_mm: NDArray[np.float64]) -> float:
    """The area of all voxel faces of `mask [i, j, k]` that have nothing of it on their other side; 0 where it is empty.

    Of a smooth body it comes near the integral of |n_i| + |n_j| + |n_k| over its surface (n: the normal), whatever the
    size of the voxels: 1.5 times the surface of a ball on any grid. So a band in mm that was fitted with it on one
    grid holds its meaning on another, thick slices too.

    Args:
        mask: the outline.
        edges_mm: a voxel's edges, the columns of `[3, 3]` (an affine's upper left part); any orientation and shear.
    """
    along = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if along[0].size == 0:
        return 0.0
    # The faces at the end of the grid are exposed too.
    box = np.pad(mask[tuple(slice(hits[0], hits[-1] + 1) for hits in along)], 1)
    total = 0.0
    for axis, (first, second) in enumerate(((1, 2), (0, 2), (0, 1))):
        face_mm2 = float(np.linalg.norm(np.cross(edges_mm[:, first], edges_mm[:, second])))
        total += face_mm2 * int(np.count_nonzero(np.diff(box, axis=axis)))
    return total
