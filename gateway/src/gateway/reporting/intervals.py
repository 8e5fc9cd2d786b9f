"""How far volume and diameters may be off: the model's boundary band laid around its outline."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid
from gateway.reporting.measure_volume import VolumeMeasurements
from gateway.volume_schemas import Interval
from service_kit.contracts.segmentation import BoundaryBand
from service_kit.measures.surface import surface_mm2

_MM3_PER_ML = 1000.0


@dataclass(frozen=True, slots=True)
class VolumeIntervals:
    """Of the volume in ml, and of the largest lesion's two diameters in mm; None where nothing is known."""

    volume_ml: Interval | None = None
    longest_diameter_mm: Interval | None = None
    perpendicular_diameter_mm: Interval | None = None


def volume_intervals(
    labels: NDArray[np.uint8], grid: Grid, measurements: VolumeMeasurements, band: BoundaryBand | None
) -> VolumeIntervals:
    """The intervals of `measurements`, those of `labels [i, j, k]` (0 = background) on `grid`.

    Volume plus or minus the band's `volume_mm` times the outline's surface, diameters plus or minus its
    `diameter_mm`, none below 0. Nothing is known without a band, nor of an empty outline: it has no surface, and says
    nothing of the size of what was overlooked.
    """
    lesion = measurements.largest
    if band is None or lesion is None:
        return VolumeIntervals()
    reach_ml = band.volume_mm * surface_mm2(labels > 0, grid.affine[:3, :3]) / _MM3_PER_ML
    return VolumeIntervals(
        _around(measurements.volume_ml, reach_ml, band),
        _around(lesion.longest_diameter_mm, band.diameter_mm, band),
        _around(lesion.perpendicular_diameter_mm, band.diameter_mm, band),
    )


def _around(value: float, reach: float, band: BoundaryBand) -> Interval:
    return Interval(low=max(value - reach, 0.0), high=value + reach, coverage=band.coverage)
