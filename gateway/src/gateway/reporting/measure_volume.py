"""The measures of a labelled volume: milliliters, the two diameters of RANO, place, side, number of lesions.

All follow from the affine, so that thick, uneven and oblique voxels are measured right. `docs/volumes.md` defines each
measure and names its source.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid, Matrix, Triple
from gateway.midline import Midline
from gateway.reporting.lesions import Lesion, Point, find_lesions, point

Side = Literal["left", "right", "midline"]

SIDE_SHARE = 0.9
"""A tumor of which a larger part lies on the other side crosses the midline."""


@dataclass(frozen=True, slots=True)
class LabelVolume:
    """One label: voxels and milliliters."""

    voxels: int
    volume_ml: float


@dataclass(frozen=True, slots=True)
class VolumeMeasurements:
    """Measures of all labels together; 0 and None where nothing is labelled.

    Attributes:
        labels: voxels and milliliters by name.
        bounding_box: first voxel and one past the last one, along the array's axes.
        extent_mm: the sides of that box.
        centroid_vx, centroid_mm: center of gravity, as voxel coordinates and in RAS mm.
        side: where at least `SIDE_SHARE` of the volume lies, "midline" where it crosses; None where the file does not
            say left and right, or no midline was found.
        right_share: the share of the volume on the patient's right.
        lesion_count: connected parts of at least `MIN_LESION_ML`.
        lesions: the `MAX_LESIONS` largest of them (the largest part where none is that large), largest first.
    """

    voxels: int
    volume_ml: float
    labels: Mapping[str, LabelVolume]
    bounding_box: tuple[Triple, Triple]
    extent_mm: Point
    centroid_vx: Point | None
    centroid_mm: Point | None
    side: Side | None
    right_share: float | None
    lesion_count: int
    lesions: tuple[Lesion, ...]

    @property
    def largest(self) -> Lesion | None:
        """The largest lesion: its diameters are those of the tumor."""
        return self.lesions[0] if self.lesions else None

    @property
    def sum_of_products_mm2(self) -> float:
        """RANO's sum over measurable lesions."""
        return sum(lesion.product_mm2 for lesion in self.lesions if lesion.measurable)


def measure_volume(
    labels: NDArray[np.uint8], grid: Grid, names: Mapping[int, str], midline: Midline | None = None
) -> VolumeMeasurements:
    """Measure `labels [i, j, k]` (0 = background) on `grid`; `names` says what each label is.

    For one region alone give a mask of it: enhancing tumor is `labels == 3`. Raises `ValueError` where the shapes
    differ or a label has no name.
    """
    if labels.shape != grid.shape:
        raise ValueError(f"labels {labels.shape} are not on the grid {grid.shape}")
    counts = np.bincount(labels.reshape(-1), minlength=1)
    unknown = [int(label) for label in np.flatnonzero(counts) if label > 0 and label not in names]
    if unknown:
        raise ValueError(f"labels without a name: {unknown}")
    sizes = {name: int(counts[label]) if label < len(counts) else 0 for label, name in names.items()}
    volumes = {name: LabelVolume(size, size * grid.voxel_ml) for name, size in sizes.items()}
    inside = labels > 0
    box = _box(inside)
    if box is None:
        return VolumeMeasurements(
            0, 0.0, volumes, ((0, 0, 0), (0, 0, 0)), (0.0, 0.0, 0.0), None, None, None, None, 0, ()
        )
    low, high = box
    corner = np.array(low, np.float64)
    cut = inside[tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))]
    places = np.argwhere(cut) + corner
    centroid = places.mean(axis=0)
    right_share = None
    if midline is not None and grid.oriented:
        right_share = float(np.mean(midline.right_of(grid.to_mm(places)) > 0))
    i, j, k = (float((stop - start) * step) for start, stop, step in zip(low, high, grid.spacing_mm, strict=True))
    count, lesions = find_lesions(cut, _cropped(grid, corner, cut.shape), _slice_offset(grid, low, high))
    return VolumeMeasurements(
        voxels=len(places),
        volume_ml=len(places) * grid.voxel_ml,
        labels=volumes,
        bounding_box=box,
        extent_mm=(i, j, k),
        centroid_vx=point(centroid),
        centroid_mm=point(grid.to_mm(centroid)),
        side=None if right_share is None else _side(right_share),
        right_share=right_share,
        lesion_count=count,
        lesions=lesions,
    )


def _box(inside: NDArray[np.bool_]) -> tuple[Triple, Triple] | None:
    along = [np.flatnonzero(inside.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if along[0].size == 0:
        return None
    low, high = zip(*((int(hits[0]), int(hits[-1]) + 1) for hits in along), strict=True)
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def _cropped(grid: Grid, corner: Matrix, shape: tuple[int, ...]) -> Grid:
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_mm(corner)
    return Grid((shape[0], shape[1], shape[2]), affine, oriented=grid.oriented)


def _slice_offset(grid: Grid, low: Triple, high: Triple) -> int:
    """The axial slice of the whole grid that is the first of the box."""
    axis = grid.world_axes.index(2)
    backward = grid.turn.reversed_axes[2]
    return grid.shape[axis] - high[axis] if backward else low[axis]


def _side(right_share: float) -> Side:
    if right_share >= SIDE_SHARE:
        return "right"
    return "left" if right_share <= 1 - SIDE_SHARE else "midline"
