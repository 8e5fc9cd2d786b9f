"""Slices -> the order, the affine and the gaps of the volume that they make; geometry alone, no pixels.

Positions count, not instance numbers: ImagePositionPatient projected on the normal of ImageOrientationPatient
(PS3.3 C.7.6.2.1.1).
"""

from collections import Counter
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Matrix
from gateway.imaging.errors import GeometryUnclear, SeriesConflict
from gateway.imaging.geometry import plane
from gateway.imaging.volume_limits import VolumeLimits
from service_kit.errors import Measurement

_SAME_PLACE_MM: Final = 0.01
_SAME_DIRECTION: Final = 0.01
_UNEVEN: Final = 0.1
_DRIFT: Final = 0.25
_NOTICED: Final = 0.02
_SIDEWAYS_MM: Final = 1.0


@dataclass(frozen=True, slots=True)
class SlicePlace:
    """Where a slice lies, in DICOM's LPS mm: first pixel's center, six cosines, (between rows, between columns)."""

    position_mm: tuple[float, float, float]
    orientation: tuple[float, ...]
    spacing_mm: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """`slots[k]` names the slices (indices of the input) at place k along the normal; it is empty where one is missing.

    `affine [4, 4]` takes (column, row, k) to LPS mm.
    """

    slots: tuple[tuple[int, ...], ...]
    affine: Matrix
    warnings: tuple[str, ...]


def stack_slices(places: Items[SlicePlace], limits: VolumeLimits) -> Stack:
    """Sort slices of one shape along their normal.

    Raises:
        SeriesConflict: several orientations or spacings, one position alone, uneven distances, too many gaps, slices
            that are shifted sideways.
        GeometryUnclear: cosines that are no directions.
    """
    rows, columns = _directions(places)
    row_mm, column_mm = _spacing(places)
    positions = np.array([place.position_mm for place in places])
    along = positions @ np.cross(rows, columns)
    order = np.argsort(along, kind="stable")
    first_of = np.concatenate([[True], np.diff(along[order]) > _SAME_PLACE_MM])
    group = np.cumsum(first_of) - 1
    distinct = along[order][first_of]
    if len(distinct) < limits.min_slices:
        raise SeriesConflict(
            f"The series has slices at {len(distinct)} position, a volume has at least {limits.min_slices}. Send a "
            "single slice as one DICOM file.",
            measurement=Measurement("positions", len(distinct), limits.min_slices),
        )
    numbers, warnings = _numbered(distinct, limits)
    slots: list[tuple[int, ...]] = [() for _ in range(int(numbers[-1]) + 1)]
    for at, number in enumerate(numbers):
        slots[int(number)] = tuple(int(index) for index in order[group == at])
    step = (positions[slots[-1][0]] - positions[slots[0][0]]) / (len(slots) - 1)
    _check_sideways(positions, slots, step)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = rows * column_mm, columns * row_mm, step
    affine[:3, 3] = positions[slots[0][0]]
    return Stack(tuple(slots), affine, tuple(warnings))


def _directions(places: Items[SlicePlace]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    cosines = np.array([place.orientation for place in places])
    off = np.abs(cosines - cosines[0]).max(axis=1)
    if off.max() > _SAME_DIRECTION:
        found = Counter(plane([float(value) for value in place.orientation]) or "between planes" for place in places)
        counts = ", ".join(f"{count} {name}" for name, count in sorted(found.items()))
        raise SeriesConflict(
            f"The slices have several orientations ({counts}): a localizer, or several series in one. Send the slices "
            "of one orientation."
        )
    rows, columns = cosines[0][:3], cosines[0][3:]
    lengths = np.linalg.norm([rows, columns], axis=1)
    if np.abs(lengths - 1).max() > 0.02 or abs(float(rows @ columns)) > 0.02:
        raise GeometryUnclear("The DICOM header's ImageOrientationPatient is no pair of directions at right angles.")
    return rows / lengths[0], columns / lengths[1]


def _spacing(places: Items[SlicePlace]) -> tuple[float, float]:
    spacings = np.array([place.spacing_mm for place in places])
    if np.abs(spacings / spacings[0] - 1).max() > 0.01:
        low, high = spacings.min(), spacings.max()
        raise SeriesConflict(
            f"The slices differ in pixel spacing ({low:.3g} to {high:.3g} mm): several series in one. Send one of them."
        )
    return float(spacings[0][0]), float(spacings[0][1])


def _numbered(distinct: NDArray[np.float64], limits: VolumeLimits) -> tuple[NDArray[np.intp], list[str]]:
    """The place of each position on an even grid, and what is to be said about it."""
    steps = np.diff(distinct)
    step = float(np.median(steps))
    whole = np.maximum(np.rint(steps / step), 1).astype(np.intp)
    numbers = np.concatenate([[0], np.cumsum(whole)])
    even = (distinct[-1] - distinct[0]) / numbers[-1]
    drift = float(np.abs(distinct - distinct[0] - numbers * even).max())
    if np.abs(steps - whole * step).max() > _UNEVEN * step or drift > _DRIFT * step:
        raise SeriesConflict(
            f"The slices do not follow each other evenly: their distances are {steps.min():.2f} to {steps.max():.2f} "
            f"mm, mostly {step:.2f}. Send one complete series, without scouts and without slices of another one.",
            measurement=Measurement("uneven_mm", float(np.abs(steps - whole * step).max()), _UNEVEN * step),
        )
    warnings: list[str] = []
    if drift > _NOTICED * step:
        warnings.append(f"The distance of the slices varies by up to {drift:.2f} mm; {even:.2f} mm was taken for all.")
    missing = whole - 1
    total = int(missing.sum())
    if total:
        after = ", ".join(str(int(numbers[at]) + 1) for at in np.flatnonzero(missing)[:10])
        share, run = total / (int(numbers[-1]) + 1), int(missing.max())
        if share > limits.max_filled_share or run > limits.max_filled_run:
            raise SeriesConflict(
                f"{total} of {int(numbers[-1]) + 1} slices are missing (after slice {after}), up to {run} in a row; "
                f"at most {limits.max_filled_share:.0%} and {limits.max_filled_run} in a row may be. Send the whole "
                "series.",
                measurement=Measurement("missing_slices", total, limits.max_filled_share * (int(numbers[-1]) + 1)),
            )
        warnings.append(
            f"{total} of {int(numbers[-1]) + 1} slices are missing (after slice {after}); they were filled from their "
            "neighbors."
        )
    return numbers, warnings


def _check_sideways(positions: NDArray[np.float64], slots: list[tuple[int, ...]], step: NDArray[np.float64]) -> None:
    start = positions[slots[0][0]]
    off = [np.linalg.norm(positions[index] - start - k * step) for k, slot in enumerate(slots) for index in slot]
    if max(off) > max(_SIDEWAYS_MM, _DRIFT * float(np.linalg.norm(step))):
        raise SeriesConflict(
            f"The slices are shifted against each other by up to {max(off):.1f} mm: they are no straight stack. Send "
            "one series."
        )
