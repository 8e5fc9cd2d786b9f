"""Findings of a volume as the pipeline leaves them: a phantom head with a lesion, measured by the real measures."""

from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gateway.artifacts import volume_links
from gateway.findings import Saliency
from gateway.grid import Grid, Triple
from gateway.midline import find_midline
from gateway.reporting.measure_volume import VolumeMeasurements, measure_volume
from gateway.schemas import (
    ClinicalSummary,
    FinishedAnalysis,
    InputSummary,
    Progress,
    Reason,
    SegmentationSummary,
    Timings,
)
from gateway.slices import SliceStack
from gateway.volume_findings import VolumeFindings
from gateway.volume_schemas import Interval, KeySlice, LabelSummary, LesionSummary, VolumeGeometry, VolumeSummary
from service_kit.contracts.classification import TumorClassification, ViewClassification
from service_kit.contracts.common import ModelRef, Sequence
from tests.unit.gateway_volumes.phantoms import ball
from tests.unit.gateway_volumes.places import affine_of, stored_as

Spacing = tuple[float, float, float]
Outline = Literal["regions", "one", "none"]
ANALYSIS_ID = "019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10"
REGIONS = {1: "necrotic_core", 2: "edema", 3: "enhancing_tumor"}
_EXTENT_MM = (184.0, 216.0, 168.0)
_LESION_MM = np.array([34.0, 22.0, 18.0])


def head_grid(spacing_mm: Spacing = (4.0, 4.0, 4.0)) -> Grid:
    i, j, k = (round(extent / step) for extent, step in zip(_EXTENT_MM, spacing_mm, strict=True))
    affine = affine_of(spacing_mm)
    affine[:3, 3] = [-extent / 2 for extent in _EXTENT_MM]
    return Grid((i, j, k), affine)


def head(grid: Grid, contrast: float = 1.0) -> NDArray[np.uint8]:
    """Brain, ventricles and a lesion on black; the front is brighter, so that flips show."""
    indices = np.stack(np.meshgrid(*(np.arange(size) for size in grid.shape), indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(grid.to_mm(indices.astype(np.float64)), -1, 0)
    inside = (x / 74) ** 2 + (y / 92) ** 2 + (z / 70) ** 2 < 1
    gray = 96 + 14 * np.sin(x / 7) * np.cos(y / 9) * np.sin(z / 8 + 1) + 0.12 * y
    left, right = (ball(grid, np.array([side, 4.0, 4.0]), (6, 26, 12)) for side in (-9.0, 9.0))
    gray = np.where(left | right, 40, gray)
    labels = lesion(grid)
    for label, level in ((2, 34), (3, 110), (1, -30)):
        gray = np.where(labels == label, gray + contrast * level, gray)
    return np.where(inside, np.clip(gray, 1, 255), 0).astype(np.uint8)


def lesion(grid: Grid) -> NDArray[np.uint8]:
    """Edema around an enhancing rim around a necrotic core, and a second, small focus."""
    labels = np.zeros(grid.shape, np.uint8)
    labels[ball(grid, _LESION_MM, (26, 33, 24))] = 2
    labels[ball(grid, _LESION_MM + np.array([3.0, -2.0, 1.0]), (16, 20, 15))] = 3
    labels[ball(grid, _LESION_MM + np.array([4.0, -3.0, 1.0]), (9, 12, 8))] = 1
    labels[ball(grid, np.array([-38.0, -48.0, 20.0]), (8, 7, 9))] = 3
    return labels


def volume_case(
    spacing_mm: Spacing = (4.0, 4.0, 4.0),
    *,
    codes: str = "LPS",
    outline: Outline = "regions",
    oriented: bool = True,
    mapped: bool = True,
    **changes: Any,
) -> VolumeFindings:
    """All that an analysis leaves; `codes` are the axes as stored, `changes` replace fields of the analysis."""
    plain = head_grid(spacing_mm)
    t1ce, affine = stored_as(codes, head(plain), plain.affine)
    flair, _ = stored_as(codes, head(plain, 0.5), plain.affine)
    labels, _ = stored_as(codes, lesion(plain), plain.affine)
    grid = Grid(_triple(t1ce.shape), affine, oriented=oriented)
    names = REGIONS
    if outline == "one":
        labels, names = (labels > 0).astype(np.uint8), {1: "tumor"}
    found = None if outline == "none" else measure_volume(labels, grid, names, find_midline(t1ce, grid))
    stack = SliceStack(grid, "axial")
    slices, rows, columns = stack.shape
    key = slices // 2 if found is None or found.largest is None else found.largest.axial_slice
    saliency = None
    if mapped:
        y, x = np.mgrid[0:12, 0:12]
        heat = np.exp(-((y - 4.5) ** 2 + (x - 3.5) ** 2) / 5).astype(np.float32)
        saliency = Saliency(heat / heat.max(), (0.0, 0.0, float(rows), float(columns)), "glioma")
    sequences: tuple[Sequence, ...] = ("t1ce", "flair")
    analysis = FinishedAnalysis(
        id=ANALYSIS_ID,
        state="succeeded",
        created_at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
        progress=Progress(stage="segmentation", done=4, total=4),
        input=InputSummary(
            kind="volume",
            format="nifti",
            sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            rows=rows,
            columns=columns,
            slices=slices,
            spacing_mm=(stack.spacing_mm[1], stack.spacing_mm[2]),
            sequences=sequences,
            warnings=("flair came on another grid and was brought to that of t1ce.",),
            geometry=_geometry(grid),
        ),
        verdict="review",
        reasons=(Reason(code="low_confidence", detail="The 95 % prediction set holds 2 labels: glioma, meningioma."),),
        view=ViewClassification(
            label="axial", probabilities={"axial": 0.97, "coronal": 0.02, "sagittal": 0.01}, source="dicom"
        ),
        tumor=TumorClassification(
            label="glioma",
            present_probability=0.98,
            probabilities={"glioma": 0.9, "meningioma": 0.07, "no_tumor": 0.02, "pituitary": 0.01},
            prediction_set=("glioma", "meningioma"),
            coverage=0.95,
        ),
        clinical=ClinicalSummary(features={"age": 0.61, "gender_female": 1.0}, imputed=("race",)),
        segmentation=None if found is None else summary(found, stack, labels),
        key_slice=KeySlice(plane="axial", index=key, of=slices),
        models=(_model("view"), _model("tumor"), _model("segmentation")),
        timings_ms=Timings(decode=410.2, view=9.1, tumor=12.0, clinical=1.1, segmentation=21840.0, total=22330.5),
        links=volume_links(ANALYSIS_ID, sequences, outlined=found is not None, mapped=mapped),
        problem=None,
    ).model_copy(update=changes)
    return VolumeFindings(
        analysis,
        grid,
        {"t1ce": t1ce, "flair": flair},
        "t1ce",
        None if found is None else labels,
        names,
        saliency,
    )


def summary(found: VolumeMeasurements, stack: SliceStack, labels: NDArray[np.uint8]) -> SegmentationSummary:
    largest = found.largest
    assert largest is not None
    cut = stack.take(labels)[largest.axial_slice] > 0
    rows, columns = np.flatnonzero(cut.any(axis=1)), np.flatnonzero(cut.any(axis=0))
    volume = VolumeSummary(
        labels={name: LabelSummary(voxels=one.voxels, volume_ml=one.volume_ml) for name, one in found.labels.items()},
        voxels=found.voxels,
        volume_ml=found.volume_ml,
        volume_ml_interval=_within(found.volume_ml, 0.1),
        longest_diameter_mm_interval=_within(largest.longest_diameter_mm, 0.05),
        perpendicular_diameter_mm_interval=_within(largest.perpendicular_diameter_mm, 0.05),
        bounding_box=found.bounding_box,
        extent_mm=found.extent_mm,
        centroid_vx=found.centroid_vx,
        centroid_mm=found.centroid_mm,
        side=found.side,
        right_share=found.right_share,
        lesion_count=found.lesion_count,
        lesions=tuple(
            LesionSummary(
                volume_ml=one.volume_ml,
                centroid_mm=one.centroid_mm,
                axial_slice=one.axial_slice,
                area_mm2=one.area_mm2,
                longest_diameter_mm=one.longest_diameter_mm,
                perpendicular_diameter_mm=one.perpendicular_diameter_mm,
                product_mm2=one.product_mm2,
                measurable=one.measurable,
                longest_axis_mm=one.longest_axis_mm,
                perpendicular_axis_mm=one.perpendicular_axis_mm,
            )
            for one in found.lesions
        ),
        sum_of_products_mm2=found.sum_of_products_mm2,
    )
    return SegmentationSummary(
        area_px=int(cut.sum()),
        area_mm2=largest.area_mm2,
        volume_ml=found.volume_ml,
        longest_diameter_mm=largest.longest_diameter_mm,
        perpendicular_diameter_mm=largest.perpendicular_diameter_mm,
        bounding_box=(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1),
        labels={name: one.voxels for name, one in found.labels.items()},
        missing=("t1", "t2"),
        volume=volume,
    )


def _geometry(grid: Grid) -> VolumeGeometry:
    a, b, c, d = ((float(w), float(x), float(y), float(z)) for w, x, y, z in grid.affine)
    return VolumeGeometry(
        shape=grid.shape,
        spacing_mm=grid.spacing_mm,
        axis_codes=grid.axis_codes if grid.oriented else None,
        affine=(a, b, c, d),
    )


def _within(value: float, share: float) -> Interval:
    return Interval(low=value * (1 - share), high=value * (1 + share), coverage=0.9)


def _triple(shape: tuple[int, ...]) -> Triple:
    i, j, k = shape
    return i, j, k


def _model(stage: Literal["view", "tumor", "segmentation"]) -> ModelRef:
    return ModelRef(
        stage=stage,
        name=stage,
        version="1",
        sha256="60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        backend="onnxruntime",
        provider="CPUExecutionProvider",
        precision="fp32",
    )
