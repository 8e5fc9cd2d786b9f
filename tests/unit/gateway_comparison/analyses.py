"""Finished analyses to compare."""

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.analysis_id import new_analysis_id
from gateway.schemas import Analysis, InputSummary, Progress, SegmentationSummary
from gateway.volume_schemas import Interval, LabelSummary, LesionSummary, VolumeGeometry, VolumeSummary
from tests.unit.gateway.fakes import model_ref, view_answer

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


def lesion(longest_mm: float, across_mm: float, volume_ml: float = 10.0) -> LesionSummary:
    return LesionSummary(
        volume_ml=volume_ml,
        centroid_mm=(0, 0, 0),
        axial_slice=40,
        area_mm2=longest_mm * across_mm * 0.8,
        longest_diameter_mm=longest_mm,
        perpendicular_diameter_mm=across_mm,
        product_mm2=longest_mm * across_mm,
        measurable=min(longest_mm, across_mm) >= 10,
        longest_axis_mm=((0, 0, 0), (longest_mm, 0, 0)),
        perpendicular_axis_mm=((0, 0, 0), (0, across_mm, 0)),
    )


def around(value: float, half: float, coverage: float = 0.9) -> Interval:
    return Interval(low=value - half, high=value + half, coverage=coverage)


def summary(
    volume_ml: float,
    *lesions: LesionSummary,
    error_ml: float | None = 1.0,
    error_mm: float | None = 0.5,
    labels: dict[str, float] | None = None,
    **changes: Any,
) -> VolumeSummary:
    """A tumor of `volume_ml`, with lesions and half widths of its intervals."""
    diameters = lesions and error_mm is not None
    return VolumeSummary(
        **{
            "labels": {
                name: LabelSummary(voxels=round(ml * 1000), volume_ml=ml)
                for name, ml in (labels or {"tumor": volume_ml}).items()
            },
            "voxels": round(volume_ml * 1000),
            "volume_ml": volume_ml,
            "volume_ml_interval": None if error_ml is None else around(volume_ml, error_ml),
            "longest_diameter_mm_interval": around(lesions[0].longest_diameter_mm, error_mm or 0)
            if diameters
            else None,
            "perpendicular_diameter_mm_interval": (
                around(lesions[0].perpendicular_diameter_mm, error_mm or 0) if diameters else None
            ),
            "bounding_box": ((0, 0, 0), (1, 1, 1)),
            "extent_mm": (1, 1, 1),
            "centroid_vx": None,
            "centroid_mm": None,
            "side": "left",
            "right_share": 0.05,
            "lesion_count": len(lesions),
            "lesions": lesions,
            "sum_of_products_mm2": sum(one.product_mm2 for one in lesions if one.measurable),
            **changes,
        }
    )


EMPTY = summary(0.0, error_ml=0.0, side=None, right_share=None)


def analysis(volume: VolumeSummary | None, days: int = 0, **changes: Any) -> Analysis:
    """A volume's analysis, `days` after the first; without `volume` nothing was outlined."""
    geometry = VolumeGeometry(shape=(240, 240, 155), spacing_mm=(1, 1, 1), axis_codes="LPS", affine=((1, 0, 0, 0),) * 4)
    scan = InputSummary(
        kind="volume", format="nifti", sha256=f"{days:064d}", rows=240, columns=240, slices=155, spacing_mm=(1, 1),
        sequences=("t1", "t1ce", "t2", "flair"), geometry=geometry,
    )  # fmt: skip
    segmentation = None if volume is None else outline(
        area_px=volume.voxels, volume_ml=volume.volume_ml, volume=volume,
        labels={name: label.voxels for name, label in volume.labels.items()},
    )  # fmt: skip
    return _analysis(days, scan, segmentation, **changes)


def slice_analysis(area_mm2: float | None, days: int = 0, plane: Any = "axial", **changes: Any) -> Analysis:
    """A slice's analysis; None for one without spacing."""
    known = area_mm2 is not None
    scan = InputSummary(
        kind="slice", format="dicom", sha256=f"{days:064d}", rows=256, columns=256, slices=1,
        spacing_mm=(0.5, 0.5) if known else None, sequences=("t1ce",),
    )  # fmt: skip
    segmentation = outline(
        area_px=400, area_mm2=area_mm2, longest_diameter_mm=20.0 if known else None,
        perpendicular_diameter_mm=10.0 if known else None,
    )  # fmt: skip
    return _analysis(days, scan, segmentation, view=view_answer(plane).view, **changes)


def outline(**changes: Any) -> SegmentationSummary:
    return SegmentationSummary(
        **{
            "area_px": 1,
            "area_mm2": None,
            "volume_ml": None,
            "longest_diameter_mm": None,
            "perpendicular_diameter_mm": None,
            "bounding_box": (0, 0, 1, 1),
            "labels": {"tumor": 1},
            **changes,
        }
    )


def _analysis(days: int, scan: InputSummary, segmentation: SegmentationSummary | None, **changes: Any) -> Analysis:
    analysis_id = new_analysis_id()
    return Analysis(
        **{
            "id": analysis_id,
            "state": "succeeded",
            "created_at": START + timedelta(days=days),
            "progress": Progress(stage="segmentation", done=4, total=4),
            "input": scan,
            "verdict": "answer",
            "reasons": (),
            "view": view_answer().view,
            "tumor": None,
            "clinical": None,
            "segmentation": segmentation,
            "models": (model_ref("segmentation", "seg-brats"),),
            "timings_ms": None,
            "links": {"self": f"/v1/analyses/{analysis_id}"},
            "problem": None,
            **changes,
        }
    )
