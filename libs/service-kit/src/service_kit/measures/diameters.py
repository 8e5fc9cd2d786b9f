"""The two diameters of one lesion on the axial slice where it is largest, as RANO takes them.

RANO 2.0 (Wen et al., J Clin Oncol 2023;41:5187) keeps the bidimensional measure of Macdonald (1990): the longest
diameter, and the longest one at right angles to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service_kit.inference.components import find_components
from service_kit.measures.calipers import Ends, Field, find_calipers, length

Lengths = NDArray[np.float64]

# Two passes of a three-voxel average; between them they take the staircase away and hardly shrink what is round.
_SMOOTHING = (0.25, 0.125)
_SAME_AREA = 0.1
_MARGIN = 2
_UNEVEN = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class AxialDiameters:
    """The diameters' ends on slice `index` as `[2, (row, column)]`, a pixel's center at whole numbers; lengths in mm.

    `area_px` is the lesion's on that slice.
    """

    index: int
    area_px: int
    longest: Ends
    perpendicular: Ends
    longest_mm: float
    perpendicular_mm: float


def axial_diameters(part: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> AxialDiameters:
    """Measure `part [slices, rows, columns]`, one lesion whose slices lie `spacing_mm` (slices, rows, columns) apart.

    Of several equally large slices the middle one is taken. Raises `ValueError` where the part is empty.
    """
    areas = part.sum(axis=(1, 2))
    if not areas.any():
        raise ValueError("an empty lesion has no diameter")
    largest = np.flatnonzero(areas == areas.max())
    index = int(largest[len(largest) // 2])
    spacing = np.array(spacing_mm)
    scale = spacing[1:]
    longest, perpendicular = (ends - _MARGIN for ends in find_calipers(_outline(part, index, spacing), scale))
    return AxialDiameters(
        index=index,
        area_px=int(areas[index]),
        longest=longest,
        perpendicular=perpendicular,
        longest_mm=length(longest, scale),
        perpendicular_mm=length(perpendicular, scale),
    )


def _outline(part: NDArray[np.bool_], widest: int, spacing_mm: Lengths) -> Field:
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


def _tapered(mask: NDArray[np.bool_], scale: Lengths) -> Field:
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
