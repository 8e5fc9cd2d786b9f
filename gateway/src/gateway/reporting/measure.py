"""The measures of an outline: area, box, and the two diameters that radiology asks for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service_kit.inference.components import find_components
from service_kit.measures.calipers import find_calipers, length

Point = tuple[float, float]
"""(row, column); a pixel's center is at whole numbers."""
Axis = tuple[Point, Point]


@dataclass(frozen=True, slots=True)
class Measurements:
    """Measures of a mask. Millimeters are None where the spacing is unknown; all is 0 where the mask is empty.

    `area_*` and `bounding_box` (top, left, bottom, right; the last two exclusive) are of the whole mask, the diameters
    of its largest component: the longest between two points of its border, and the longest at right angles to that
    one (the two diameters of RANO, as calipers measure them). `components` counts the parts, `*_axis` say where the
    diameters lie. One slice has no volume, so `volume_ml` is None.
    """

    area_px: int
    area_mm2: float | None
    volume_ml: float | None
    longest_diameter_px: float
    perpendicular_diameter_px: float
    longest_diameter_mm: float | None
    perpendicular_diameter_mm: float | None
    bounding_box: tuple[int, int, int, int]
    components: int
    longest_axis: Axis | None = None
    perpendicular_axis: Axis | None = None


def extent(mask: NDArray[np.bool_] | NDArray[np.uint8]) -> tuple[int, tuple[int, int, int, int]]:
    """Area in pixels and bounding box of `mask [rows, columns]`: what is known without spacing, and cheap."""
    inside = np.asarray(mask, np.bool_)
    in_rows, in_columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if in_rows.size == 0:
        return 0, (0, 0, 0, 0)
    box = (int(in_rows[0]), int(in_columns[0]), int(in_rows[-1]) + 1, int(in_columns[-1]) + 1)
    return int(np.count_nonzero(inside)), box


def measure(mask: NDArray[np.bool_] | NDArray[np.uint8], spacing_mm: tuple[float, float] | None) -> Measurements:
    """Measure `mask [rows, columns]`, on a grid with `spacing_mm` (between rows, between columns)."""
    inside = np.asarray(mask, np.bool_)
    area_px, (top, left, bottom, right) = extent(inside)
    known = spacing_mm is not None
    row_mm, column_mm = spacing_mm or (1.0, 1.0)
    if area_px == 0:
        nothing = 0.0 if known else None
        return Measurements(0, nothing, None, 0.0, 0.0, nothing, nothing, (0, 0, 0, 0), 0)
    largest, components = _largest_component(inside[top:bottom, left:right])
    scale = np.array([row_mm, column_mm])
    longest, perpendicular = find_calipers(largest, scale)
    corner = np.array([top, left])
    return Measurements(
        area_px=area_px,
        area_mm2=area_px * row_mm * column_mm if known else None,
        volume_ml=None,
        longest_diameter_px=length(longest, np.ones(2)),
        perpendicular_diameter_px=length(perpendicular, np.ones(2)),
        longest_diameter_mm=length(longest, scale) if known else None,
        perpendicular_diameter_mm=length(perpendicular, scale) if known else None,
        bounding_box=(top, left, bottom, right),
        components=components,
        longest_axis=_axis(longest + corner),
        perpendicular_axis=_axis(perpendicular + corner),
    )


def _largest_component(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], int]:
    """The largest component alone, and how many there are."""
    parts = find_components(mask)
    count = int(parts.areas_px.size)
    if count == 1:
        return mask, 1
    largest = mask & ~parts.smaller_than(int(parts.areas_px.max()))
    return largest, count


def _axis(ends: NDArray[np.float64]) -> Axis:
    start, end = ends
    return ((float(start[0]), float(start[1])), (float(end[0]), float(end[1])))
