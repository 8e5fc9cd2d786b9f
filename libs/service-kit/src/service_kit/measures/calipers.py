"""The two diameters of an outline as calipers measure them: the longest, and the longest at right angles to it."""

import numpy as np
from numpy.typing import NDArray

_MAX_CHORDS = 512
_MAX_PAIRED_POINTS = 400
_SAME_MM = 1e-6

Ends = NDArray[np.float64]
"""`[2, (row, column)]`; a pixel's center is at whole numbers."""
Field = NDArray[np.bool_] | NDArray[np.float32]
"""`[rows, columns]`: the outline is where it crosses one half, on a mask halfway between pixel centers."""


def find_calipers(field: Field, spacing_mm: NDArray[np.float64]) -> tuple[Ends, Ends]:
    """The ends of the longest and of the perpendicular diameter of the one part of `field` that is at least one half.

    Lengths are compared in millimeters, `spacing_mm` (between rows, between columns).
    """
    values = np.pad(field, 2).astype(np.float32)
    border = _border(values)
    longest = _longest_axis(border, spacing_mm)
    return longest - 2, _perpendicular_axis(values, border, longest, spacing_mm) - 2


def length(ends: Ends, spacing_mm: NDArray[np.float64]) -> float:
    """The distance of two points."""
    return float(np.hypot(*((ends[1] - ends[0]) * spacing_mm)))


def _longest_axis(points: NDArray[np.float64], scale: NDArray[np.float64]) -> Ends:
    """The two border points that lie farthest apart in millimeters."""
    if len(points) > _MAX_PAIRED_POINTS:
        points = _hull(points)
    rows, columns = (points * scale).T
    distances = (rows[:, None] - rows) ** 2 + (columns[:, None] - columns) ** 2
    first, second = np.unravel_index(int(distances.argmax()), distances.shape)
    return points[[first, second]]


def _perpendicular_axis(
    values: NDArray[np.float32], border: NDArray[np.float64], longest: Ends, scale: NDArray[np.float64]
) -> Ends:
    """The longest chord at right angles to `longest`, from the border's near side to its far side.

    Chords are tried a pixel apart, then in eighths of a pixel around the best: the search stays cheap on any size.
    """
    start, end = longest * scale
    distance = float(np.hypot(*(end - start)))
    along = (end - start) / distance
    across = np.array([-along[1], along[0]])
    sides = (border * scale - start) @ across
    pixel = max(float(scale.min()), distance / _MAX_CHORDS)
    low, high = float(sides.min()), float(sides.max())
    best, near, far = 0.0, 0.0, 0.0
    for around, step in (
        (np.linspace(0.0, distance, max(3, round(distance / pixel) + 1)), pixel / 2),
        (np.arange(-8, 9) * pixel / 8, pixel / 8),
    ):
        offsets = around + best
        widths = np.arange(low - 2 * step, high + 3 * step, step)
        points = start + offsets[:, None, None] * along + widths[None, :, None] * across
        nearer, farther = _crossings(_sample(values, points / scale), widths)
        chords = farther - nearer
        longest_chords = np.flatnonzero(chords >= chords.max() - _SAME_MM)
        chosen = int(longest_chords[longest_chords.size // 2])
        best, near, far = float(offsets[chosen]), float(nearer[chosen]), float(farther[chosen])
    ends: Ends = (start + best * along + np.array([[near], [far]]) * across) / scale
    return ends


def _crossings(
    levels: NDArray[np.float64], widths: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each of `levels [chords, points]` first rises to one half and last falls below; equal where none does."""
    inside = levels >= 0.5
    # Chords begin and end outside: the points reach two steps beyond the border.
    inside[:, 0] = inside[:, -1] = False
    number, step = np.arange(len(levels)), float(widths[1] - widths[0])
    first, last = inside.argmax(axis=1), inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)
    hit = inside.any(axis=1)
    first, last = np.where(hit, first, 1), np.where(hit, last, 1)
    rise, fall = levels[number, first] - levels[number, first - 1], levels[number, last] - levels[number, last + 1]
    near = widths[first] - step * (levels[number, first] - 0.5) / np.where(hit, rise, 1.0)
    far = widths[last] + step * (levels[number, last] - 0.5) / np.where(hit, fall, 1.0)
    return np.where(hit, near, 0.0), np.where(hit, far, 0.0)


def _sample(values: NDArray[np.float32], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The field at `points [..., (row, column)]`, linear between pixel centers."""
    rows = np.clip(points[..., 0], 0, values.shape[0] - 2)
    columns = np.clip(points[..., 1], 0, values.shape[1] - 2)
    top, left = np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)
    down, right = rows - top, columns - left
    upper = values[top, left] * (1 - right) + values[top, left + 1] * right
    lower = values[top + 1, left] * (1 - right) + values[top + 1, left + 1] * right
    return np.asarray(upper * (1 - down) + lower * down)


def _border(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Points `[n, (row, column)]` where the padded field first and last is one half, along each row and column."""
    mask = values >= 0.5
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    sides = [np.stack([rows, side], axis=1) for side in _outermost(values[rows], mask[rows])]
    caps = [np.stack([cap, columns], axis=1) for cap in _outermost(values[:, columns].T, mask[:, columns].T)]
    return np.concatenate(sides + caps)


def _outermost(lines: NDArray[np.float32], mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each line first rises to one half, and where it last falls below; interpolated between neighbors."""
    number = np.arange(len(lines))
    first, last = mask.argmax(axis=1), mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    near, far = lines[number, first], lines[number, last]
    rise = (near - 0.5) / (near - lines[number, first - 1])
    fall = (far - 0.5) / (far - lines[number, last + 1])
    return first - rise.astype(np.float64), last + fall.astype(np.float64)


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
