"""A patient's true and found outline in three dimensions, in the few figures that a boundary band is fitted on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service_kit.inference.volume_components import find_volume_components
from service_kit.measures.diameters import axial_diameters
from service_kit.measures.surface import surface_mm2

_MM3_PER_ML = 1000.0
Spacing = tuple[float, float, float]
"""In mm between slices, rows and columns."""


@dataclass(frozen=True, slots=True)
class OutlinePair:
    """One patient, outlined by a network that never saw them; diameters are the largest lesion's, as RANO's.

    `fold` is the one in which the patient was tested, `source` the data set. `surface_mm2` is the found outline's, by
    voxel faces. A diameter of an outline with nothing in it is 0.
    """

    patient: str
    source: str
    fold: int
    true_ml: float
    found_ml: float
    surface_mm2: float
    true_longest_mm: float
    found_longest_mm: float
    true_perpendicular_mm: float
    found_perpendicular_mm: float


def measure_pair(
    patient: str, source: str, fold: int, truth: NDArray[np.bool_], found: NDArray[np.bool_], spacing_mm: Spacing
) -> OutlinePair:
    """Measure the masks `[slices, rows, columns]` as the gateway measures an outline.

    Raises:
        ValueError: the masks' shapes differ.
    """
    if truth.shape != found.shape:
        raise ValueError(f"{patient}: truth {truth.shape} and outline {found.shape} are not on one grid")
    voxel_ml = float(np.prod(spacing_mm)) / _MM3_PER_ML
    true_longest_mm, true_perpendicular_mm = _diameters_mm(truth, spacing_mm)
    found_longest_mm, found_perpendicular_mm = _diameters_mm(found, spacing_mm)
    return OutlinePair(
        patient=patient,
        source=source,
        fold=fold,
        true_ml=int(np.count_nonzero(truth)) * voxel_ml,
        found_ml=int(np.count_nonzero(found)) * voxel_ml,
        surface_mm2=surface_mm2(found, np.diag(spacing_mm)),
        true_longest_mm=true_longest_mm,
        found_longest_mm=found_longest_mm,
        true_perpendicular_mm=true_perpendicular_mm,
        found_perpendicular_mm=found_perpendicular_mm,
    )


def _diameters_mm(mask: NDArray[np.bool_], spacing_mm: Spacing) -> tuple[float, float]:
    if not mask.any():
        return 0.0, 0.0
    largest = find_volume_components(mask).labels == 1
    found = axial_diameters(largest, spacing_mm)
    return found.longest_mm, found.perpendicular_mm
