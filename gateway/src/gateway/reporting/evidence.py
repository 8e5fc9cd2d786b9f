"""Everything that an answer rests on, as one JSON document for archives and audits."""

import json
from typing import Any

from gateway.reporting.measure import Axis, Measurements
from gateway.schemas import Analysis

SCHEMA = "neurogate-evidence-1"

DEFINITIONS = {
    "prediction_set": "labels that hold the true one with probability `coverage` (conformal prediction by class)",
    "area": "pixels of the mask, times the spacing where it is known",
    "longest_diameter": "largest distance between two border points of the largest component, in the slice's plane",
    "perpendicular_diameter": "longest chord of the same component at right angles to the longest diameter",
    "bounding_box": "top, left, bottom, right in pixels; the last two exclusive",
    "volume": "voxels times the determinant of the affine; `*_interval` held the true value with `coverage` in patients"
    " kept back from training",
    "lesion": "connected part, measured on the axial slice where its area is largest (RANO); axes are ends in RAS mm",
    "key_slice": "the slice of a volume that view, tumor and heat map are of; `coverage` was fitted on single slices",
    "heatmap": "class activation map, negative parts cut off, scaled so that its maximum is 1",
}


def render_evidence(
    analysis: Analysis, *, measurements: Measurements | None = None, heatmap_label: str | None = None
) -> bytes:
    """UTF-8 JSON: the analysis itself, the measures with their axes, what each word means, and the disclaimer."""
    document = {
        "schema": SCHEMA,
        "analysis": analysis.model_dump(mode="json"),
        "measurements": None if measurements is None else _measurements(measurements),
        "heatmap": None if heatmap_label is None else {"label": heatmap_label},
        "definitions": DEFINITIONS,
        "disclaimer": analysis.disclaimer,
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2).encode()


def _measurements(found: Measurements) -> dict[str, Any]:
    return {
        "components": found.components,
        "area_px": found.area_px,
        "area_mm2": _rounded(found.area_mm2),
        "longest_diameter_px": _rounded(found.longest_diameter_px),
        "longest_diameter_mm": _rounded(found.longest_diameter_mm),
        "longest_axis": _ends(found.longest_axis),
        "perpendicular_diameter_px": _rounded(found.perpendicular_diameter_px),
        "perpendicular_diameter_mm": _rounded(found.perpendicular_diameter_mm),
        "perpendicular_axis": _ends(found.perpendicular_axis),
        "bounding_box": found.bounding_box,
    }


def _ends(axis: Axis | None) -> list[dict[str, float | None]] | None:
    return None if axis is None else [{"row": _rounded(row), "column": _rounded(column)} for row, column in axis]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
