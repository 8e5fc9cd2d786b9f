"""The measures of a labelled volume as callers see them, with their intervals."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid
from gateway.midline import Midline
from gateway.reporting.intervals import volume_intervals
from gateway.reporting.lesions import Lesion
from gateway.reporting.measure_volume import measure_volume
from gateway.volume_schemas import LabelSummary, LesionSummary, VolumeSummary
from service_kit.contracts.segmentation import BoundaryBand


def summarize_volume(
    labels: NDArray[np.uint8],
    grid: Grid,
    names: Mapping[int, str],
    midline: Midline | None = None,
    band: BoundaryBand | None = None,
) -> VolumeSummary:
    """Measure `labels [i, j, k]` (0 = background) on `grid`; `names` says what each label is.

    Without `midline` no side is told, without `band` no interval. Raises `ValueError` where the shapes differ or a
    label has no name.
    """
    found = measure_volume(labels, grid, names, midline)
    intervals = volume_intervals(labels, grid, found, band)
    return VolumeSummary(
        labels={
            name: LabelSummary(voxels=label.voxels, volume_ml=label.volume_ml) for name, label in found.labels.items()
        },
        voxels=found.voxels,
        volume_ml=found.volume_ml,
        volume_ml_interval=intervals.volume_ml,
        longest_diameter_mm_interval=intervals.longest_diameter_mm,
        perpendicular_diameter_mm_interval=intervals.perpendicular_diameter_mm,
        bounding_box=found.bounding_box,
        extent_mm=found.extent_mm,
        centroid_vx=found.centroid_vx,
        centroid_mm=found.centroid_mm,
        side=found.side,
        right_share=found.right_share,
        lesion_count=found.lesion_count,
        lesions=tuple(_lesion(lesion) for lesion in found.lesions),
        sum_of_products_mm2=found.sum_of_products_mm2,
    )


def _lesion(lesion: Lesion) -> LesionSummary:
    return LesionSummary(
        volume_ml=lesion.volume_ml,
        centroid_mm=lesion.centroid_mm,
        axial_slice=lesion.axial_slice,
        area_mm2=lesion.area_mm2,
        longest_diameter_mm=lesion.longest_diameter_mm,
        perpendicular_diameter_mm=lesion.perpendicular_diameter_mm,
        product_mm2=lesion.product_mm2,
        measurable=lesion.measurable,
        longest_axis_mm=lesion.longest_axis_mm,
        perpendicular_axis_mm=lesion.perpendicular_axis_mm,
    )
