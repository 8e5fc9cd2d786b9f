"""The distance between the borders of two masks of a volume, in millimeters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage  # type: ignore[import-untyped]

from model_export.evaluation.overlap import directed_percentile_px


def hd95_mm(mask: NDArray[Any], truth: NDArray[Any], voxel_mm: tuple[float, float, float]) -> float:
    """95th percentile Hausdorff distance of masks `[x, y, z]`: the larger of the two directed percentiles.

    A border is what an erosion by one voxel (6-connected) takes away; at the volume's edge a mask has a border too.
    NaN where one is empty: there is no distance to nothing.

    Raises:
        ValueError: the masks differ in shape.
    """
    if mask.shape != truth.shape:
        raise ValueError(f"a mask of {mask.shape} is no answer to a truth of {truth.shape}")
    marked, present = mask > 0, truth > 0
    if not marked.any() or not present.any():
        return float("nan")
    either = marked | present
    box = tuple(_extent(either, axis) for axis in range(3))
    borders = [_border(np.pad(volume[box], 1)) for volume in (marked, present)]
    to_mask, to_truth = (ndimage.distance_transform_edt(~border, sampling=voxel_mm) for border in borders)
    return directed_percentile_px(to_truth[borders[0]], to_mask[borders[1]])


def _extent(mask: NDArray[np.bool_], axis: int) -> slice:
    found = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
    return slice(int(found[0]), int(found[-1]) + 1)


def _border(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(mask & ~ndimage.binary_erosion(mask), np.bool_)
