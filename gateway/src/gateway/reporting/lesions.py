"""The lesions of a mask: its connected parts, each measured as RANO measures it.

RANO 2.0 (Wen et al., J Clin Oncol 2023;41:5187) keeps the bidimensional measure of Macdonald (1990): on the axial slice
where the lesion is largest, the longest diameter times the longest one at right angles to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid, Matrix
from gateway.reporting.calipers import Field, find_calipers, length
from gateway.slices import SliceStack
from service_kit.inference.components import find_components
from service_kit.inference.volume_components import find_volume_components

Point = tuple[float, float, float]

MIN_LESION_ML = 0.05
"""A lesion that is counted: a cube of 3.7 mm. Smaller parts are still in the volume."""
MEASURABLE_MM = 10.0
"""RANO: both diameters of a measurable lesion are at least this long."""
MAX_LESIONS = 5
"""RANO sums the products of at most five target lesions."""
# Two passes of a three-voxel average; between them they take the staircase away and hardly shrink what is round.
_SMOOTHING = (0.25, 0.125)
_SAME_AREA = 0.1
_MARGIN = 2
_UNEVEN = 1.5


@dataclass(frozen=True, slots=True)
class Lesion:
    """One connected part, measured on the axial slice where its area is largest.

    `axial_slice` is that slice's place in `SliceStack(grid, "axial")`; `longest_axis_mm` and `perpendicular_axis_mm`
    are the diameters' ends in RAS mm. `measurable` is RANO's word for diameters of at least `MEASURABLE_MM`.
    """

    volume_ml: float
    centroid_mm: Point
    axial_slice: int
    area_mm2: float
    longest_diameter_mm: float
    perpendicular_diameter_mm: float
    longest_axis_mm: tuple[Point, Point]
    perpendicular_axis_mm: tuple[Point, Point]

    @property
    def product_mm2(self) -> float:
        """RANO's bidimensional product."""
        return self.longest_diameter_mm * self.perpendicular_diameter_mm

    @property
    def measurable(self) -> bool:
        """Whether RANO would count it among target lesions."""
        return min(self.longest_diameter_mm, self.perpendicular_diameter_mm) >= MEASURABLE_MM


def find_lesions(mask: NDArray[np.bool_], grid: Grid, first_slice: int = 0) -> tuple[int, tuple[Lesion, ...]]:
    """How many lesions `mask [i, j, k]` has, and the measures of the largest (of one at least).

    `first_slice` is added to `Lesion.axial_slice` where `mask` was cut out of a larger grid. Raises `ValueError` where
    the mask is empty.
    """
    if not mask.any():
        raise ValueError("an empty mask has no lesion")
    parts = find_volume_components(mask)
    count = int(np.count_nonzero(parts.sizes_vx * grid.voxel_ml >= MIN_LESION_ML))
    stack = SliceStack(grid, "axial")
    labels = stack.take(parts.labels)
    return count, tuple(
        _lesion(labels == number, stack, first_slice) for number in range(1, max(1, min(count, MAX_LESIONS)) + 1)
    )


def _lesion(part: NDArray[np.bool_], stack: SliceStack, first_slice: int) -> Lesion:
    """Measure `part [slices, rows, columns]`."""
    areas = part.sum(axis=(1, 2))
    largest = np.flatnonzero(areas == areas.max())
    widest = int(largest[len(largest) // 2])
    spacing_mm = np.array(stack.spacing_mm)
    scale = spacing_mm[1:]
    longest, perpendicular = (ends - _MARGIN for ends in find_calipers(_outline(part, widest, spacing_mm), scale))
    affine = stack.affine
    centroid = np.argwhere(part).mean(axis=0)
    return Lesion(
        volume_ml=int(areas.sum()) * stack.grid.voxel_ml,
        centroid_mm=point(affine[:3, :3] @ centroid + affine[:3, 3]),
        axial_slice=first_slice + widest,
        area_mm2=float(areas[widest] * np.linalg.norm(np.cross(affine[:3, 1], affine[:3, 2]))),
        longest_diameter_mm=length(longest, scale),
        perpendicular_diameter_mm=length(perpendicular, scale),
        longest_axis_mm=_axis_mm(longest, widest, affine),
        perpendicular_axis_mm=_axis_mm(perpendicular, widest, affine),
    )


def _outline(part: NDArray[np.bool_], widest: int, spacing_mm: Matrix) -> Field:
    """The slice's largest part with `_MARGIN` pixels around it, smoothed by less than a voxel.

    The farthest two corners of a staircase lie half a voxel too far apart; of a smoothed one they do not. What
    smoothing would change (thin or tiny parts) is measured as it is. Coarser axes are smoothed less: `spacing_mm`
    (slices, rows, columns) weighs them.
    """
    coarse, fine = spacing_mm[1:].max(), spacing_mm[1:].min()
    if coarse > _UNEVEN * fine:
        return _tapered(_largest(np.pad(part[widest], _MARGIN)), spacing_mm[1:])
    padded = np.pad(part[max(widest - _MARGIN, 0) : widest + _MARGIN + 1], _MARGIN)
    field = padded.astype(np.float32)
    fineness = (spacing_mm.min() / spacing_mm) ** 2
    for weight in _SMOOTHING:
        for axis, share in enumerate(weight * fineness):
            field = (1 - 2 * share) * field + share * (np.roll(field, 1, axis) + np.roll(field, -1, axis))
    middle = min(widest, _MARGIN) + _MARGIN
    sharp = _largest(padded[middle])
    smooth = np.where(_largest(field[middle] >= 0.5), field[middle], np.minimum(field[middle], 0.49))
    area = np.count_nonzero(sharp)
    same = abs(np.count_nonzero(smooth >= 0.5) - area) <= _SAME_AREA * area
    return smooth.astype(np.float32) if same else sharp


def _tapered(mask: NDArray[np.bool_], scale: Matrix) -> Field:
    """The mask with its border interpolated by shape (Raya and Udupa 1990) between lines that are far apart.

    Each line along the finer axis becomes the distance to its border, at most that of two lines: halfway to a line
    without any, the outline is narrower than on the line itself, not as wide and cut off.
    """
    lines = mask if scale[0] > scale[1] else mask.T
    coarse, fine = float(scale.max()), float(scale.min())
    inside, outside = (_to_nearest(lines, other) for other in (False, True))
    distance = np.where(lines, inside - 0.5, 0.5 - outside) * fine
    field = np.clip(0.5 + distance / (2 * coarse), 0.0, 1.0).astype(np.float32)
    return field if scale[0] > scale[1] else field.T


def _to_nearest(lines: NDArray[np.bool_], value: bool) -> NDArray[np.float64]:
    """For each pixel the distance, in pixels along its line, to the nearest that is `value`."""
    count = lines.shape[1]
    place = np.arange(count, dtype=np.float64)
    before = np.maximum.accumulate(np.where(lines == value, place, -np.inf), axis=1)
    after = np.minimum.accumulate(np.where(lines == value, place, np.inf)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.minimum(place - before, after - place))


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if not mask.any():
        return mask
    parts = find_components(mask)
    return mask & ~parts.smaller_than(int(parts.areas_px.max()))


def _axis_mm(ends: Matrix, number: int, affine: Matrix) -> tuple[Point, Point]:
    places = np.column_stack([np.full(2, number), ends])
    start, end = places @ affine[:3, :3].T + affine[:3, 3]
    return point(start), point(end)


def point(place: Matrix) -> Point:
    """Three numbers of an array `[3]`."""
    x, y, z = (float(value) for value in place)
    return x, y, z
