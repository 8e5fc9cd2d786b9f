"""The lesions of a mask: its connected parts, each measured as RANO measures it.

RANO 2.0 (Wen et al., J Clin Oncol 2023;41:5187) keeps the bidimensional measure of Macdonald (1990): on the axial slice
where the lesion is largest, the longest diameter times the longest one at right angles to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid, Matrix
from gateway.slices import SliceStack
from service_kit.inference.volume_components import find_volume_components
from service_kit.measures.diameters import axial_diameters

Point = tuple[float, float, float]

MIN_LESION_ML = 0.05
"""A lesion that is counted: a cube of 3.7 mm. Smaller parts are still in the volume."""
MEASURABLE_MM = 10.0
"""RANO: both diameters of a measurable lesion are at least this long."""
MAX_LESIONS = 5
"""RANO sums the products of at most five target lesions."""


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
    found = axial_diameters(part, stack.spacing_mm)
    affine = stack.affine
    places = np.argwhere(part)
    centroid = places.mean(axis=0)
    return Lesion(
        volume_ml=len(places) * stack.grid.voxel_ml,
        centroid_mm=point(affine[:3, :3] @ centroid + affine[:3, 3]),
        axial_slice=first_slice + found.index,
        area_mm2=float(found.area_px * np.linalg.norm(np.cross(affine[:3, 1], affine[:3, 2]))),
        longest_diameter_mm=found.longest_mm,
        perpendicular_diameter_mm=found.perpendicular_mm,
        longest_axis_mm=_axis_mm(found.longest, found.index, affine),
        perpendicular_axis_mm=_axis_mm(found.perpendicular, found.index, affine),
    )


def _axis_mm(ends: Matrix, number: int, affine: Matrix) -> tuple[Point, Point]:
    places = np.column_stack([np.full(2, number), ends])
    start, end = places @ affine[:3, :3].T + affine[:3, 3]
    return point(start), point(end)


def point(place: Matrix) -> Point:
    """Three numbers of an array `[3]`."""
    x, y, z = (float(value) for value in place)
    return x, y, z
