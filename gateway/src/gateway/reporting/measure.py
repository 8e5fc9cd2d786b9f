"""The measures of an outline: area, box, and the two diameters that radiology asks for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service_kit.inference.components import find_components

Point = tuple[float, float]
"""(row, column); a pixel's center is at whole numbers."""
Axis = tuple[Point, Point]

_MAX_CHORDS = 512
_MAX_PAIRED_POINTS = 400


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
    longest = _longest_axis(largest, scale)
    perpendicular = _perpendicular_axis(largest, longest, scale)
    corner = np.array([top, left])
    return Measurements(
        area_px=area_px,
        area_mm2=area_px * row_mm * column_mm if known else None,
        volume_ml=None,
        longest_diameter_px=_length(longest, np.ones(2)),
        perpendicular_diameter_px=_length(perpendicular, np.ones(2)),
        longest_diameter_mm=_length(longest, scale) if known else None,
        perpendicular_diameter_mm=_length(perpendicular, scale) if known else None,
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


def _longest_axis(mask: NDArray[np.bool_], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """The two border points `[2, (row, column)]` that lie farthest apart in millimeters."""
    points = _border(mask)
    if len(points) > _MAX_PAIRED_POINTS:
        points = _hull(points)
    rows, columns = (points * scale).T
    distances = (rows[:, None] - rows) ** 2 + (columns[:, None] - columns) ** 2
    first, second = np.unravel_index(int(distances.argmax()), distances.shape)
    return points[[first, second]]


def _perpendicular_axis(
    mask: NDArray[np.bool_], longest: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The longest chord at right angles to `longest`, from the border's near side to its far side.

    Chords are tried a pixel apart, then in eighths of a pixel around the best: the search stays cheap on any size.
    """
    start, end = longest * scale
    length = float(np.hypot(*(end - start)))
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    sides = (_border(mask) * scale - start) @ across
    pixel = max(float(scale.min()), length / _MAX_CHORDS)
    low, high = float(sides.min()), float(sides.max())
    best, near, far = 0.0, 0.0, 0.0
    for around, step in (
        (np.linspace(0.0, length, max(3, round(length / pixel) + 1)), pixel / 2),
        (np.arange(-8, 9) * pixel / 8, pixel / 8),
    ):
        offsets = around + best
        widths = np.arange(low - step, high + 2 * step, step)
        points = start + offsets[:, None, None] * along + widths[None, :, None] * across
        inside = _at_half(mask, points / scale)
        first, last = inside.argmax(axis=1), inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)
        chords = np.where(inside.any(axis=1), last - first, -1)
        longest_chords = np.flatnonzero(chords == chords.max())
        chosen = int(longest_chords[longest_chords.size // 2])
        best, near, far = float(offsets[chosen]), float(widths[first[chosen]]), float(widths[last[chosen]])
    ends: NDArray[np.float64] = (start + best * along + np.array([[near], [far]]) * across) / scale
    return ends


def _at_half(mask: NDArray[np.bool_], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether `points [..., (row, column)]` lie inside the border, halfway between pixel centers."""
    padded = np.pad(mask, 2).astype(np.float32)
    rows = np.clip(points[..., 0] + 2, 0, padded.shape[0] - 2)
    columns = np.clip(points[..., 1] + 2, 0, padded.shape[1] - 2)
    top, left = np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)
    down, right = rows - top, columns - left
    upper = padded[top, left] * (1 - right) + padded[top, left + 1] * right
    lower = padded[top + 1, left] * (1 - right) + padded[top + 1, left + 1] * right
    found: NDArray[np.bool_] = upper * (1 - down) + lower * down >= 0.5
    return found


def _border(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Points `[n, (row, column)]` halfway between the outermost pixels of each row and column and their neighbors."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    left = mask[rows].argmax(axis=1) - 0.5
    right = mask.shape[1] - mask[rows][:, ::-1].argmax(axis=1) - 0.5
    top = mask[:, columns].argmax(axis=0) - 0.5
    bottom = mask.shape[0] - mask[::-1][:, columns].argmax(axis=0) - 0.5
    sides = [np.stack([rows, side], axis=1) for side in (left, right)]
    caps = [np.stack([cap, columns], axis=1) for cap in (top, bottom)]
    return np.concatenate(sides + caps)


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The convex hull of `points [n, 2]` (Andrew's monotone chain)."""
    ordered = np.unique(points, axis=0).tolist()
    if len(ordered) < 3:
        return np.array(ordered)
    lower, upper = _chain(ordered), _chain(ordered[::-1])
    return np.array(lower[:-1] + upper[:-1])


def _chain(ordered: list[list[float]]) -> list[list[float]]:
    chain: list[list[float]] = []
    for point in ordered:
        while len(chain) >= 2 and _turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain


def _turn(a: list[float], b: list[float], c: list[float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _length(axis: NDArray[np.float64], scale: NDArray[np.float64]) -> float:
    return float(np.hypot(*((axis[1] - axis[0]) * scale)))


def _axis(ends: NDArray[np.float64]) -> Axis:
    start, end = ends
    return ((float(start[0]), float(start[1])), (float(end[0]), float(end[1])))
