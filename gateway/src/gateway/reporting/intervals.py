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

    Volume minus the band's `volume_below_mm` and plus its `volume_mm` times the outline's surface, diameters minus and
    plus its `diameter_mm`, none below 0. Nothing is known without a band, nor of an empty outline: it has no surface,
    and says nothing of the size of what was overlooked.
    """
    lesion = measurements.largest
    if band is None or lesion is None:
        return VolumeIntervals()
    ml_a_mm = surface_mm2(labels > 0, grid.affine[:3, :3]) / _MM3_PER_ML
    below_mm = band.volume_mm if band.volume_below_mm is None else band.volume_below_mm
    return VolumeIntervals(
        _interval(measurements.volume_ml, below_mm * ml_a_mm, band.volume_mm * ml_a_mm, band),
        _interval(lesion.longest_diameter_mm, band.diameter_mm, band.diameter_mm, band),
        _interval(lesion.perpendicular_diameter_mm, band.diameter_mm, band.diameter_mm, band),
    )


def _interval(value: float, below: float, above: float, band: BoundaryBand) -> Interval:
    return Interval(low=max(value - below, 0.0), high=value + above, coverage=band.coverage)
