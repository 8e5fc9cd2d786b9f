"""From the services' answers on a volume to the Analysis that callers see."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.analysis import as_problem, clinical_summary, last_progress, timings, unavailable
from gateway.analysis_id import new_analysis_id
from gateway.artifacts import volume_links
from gateway.clients.classifier import TumorAnswer, ViewAnswer
from gateway.door import unusual
from gateway.imaging.volume import VolumeStudy
from gateway.judge.limits import JudgeLimits
from gateway.judge.policy import Case, judge
from gateway.midline import find_midline
from gateway.reporting.measure import extent
from gateway.reporting.volume_summary import summarize_volume
from gateway.schemas import (
    FinishedAnalysis,
    InputSummary,
    MetadataEffect,
    Reason,
    SegmentationSummary,
)
from gateway.stopwatch import Stopwatch
from gateway.volume_findings import VolumeFindings
from gateway.volume_outline import VolumeOutline, skull_stripped
from gateway.volume_schemas import KeySlice, VolumeGeometry
from gateway.volume_slices import VolumeSlices
from service_kit.contracts.classification import ViewClassification
from service_kit.contracts.clinical import ClinicalVector
from service_kit.contracts.common import ModelRef
from service_kit.errors import ServiceError

_SHOWN_PERCENT: Final = (0.5, 99.5)
_ON_SLICES: Final = (
    "The tumor's type was read from one slice of the volume, chosen by the outline. The model's coverage was measured "
    "on slices that were not chosen so: here it promises nothing."
)
_WITH_SKULL: Final = (
    "The outline's network was trained on volumes from which the skull had been taken off; this one seems to have it. "
    "Take it off first (HD-BET, SynthStrip), or name a slice model in the option `models`."
)


@dataclass(frozen=True, slots=True, eq=False)
class VolumeAnswers:
    """What the services said. `key` is the slice that `tumor` is about; the rest as in `gateway.analysis.Answers`."""

    view: ViewAnswer
    tumor: TumorAnswer
    vector: ClinicalVector | None
    outline: VolumeOutline | None
    key: int
    failures: tuple[ServiceError, ...] = ()
    beside: tuple[ModelRef, ...] = ()
    effect: MetadataEffect | None = field(default=None, kw_only=True)

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """The models that answered, in the order of the stages."""
        first, *rest = self.stage_models
        return (first, *self.beside, *rest)

    @property
    def stage_models(self) -> tuple[ModelRef, ...]:
        """The one model of each stage that answered."""
        last = () if self.outline is None else (self.outline.model,)
        clinical = () if self.vector is None else (self.vector.model,)
        return (self.view.model, self.tumor.model, *clinical, *last)


def compose_volume(
    slices: VolumeSlices, answers: VolumeAnswers, watch: Stopwatch, limits: JudgeLimits
) -> VolumeFindings:
    """Measure, judge, and put the Analysis together. Takes seconds: call it in a thread."""
    study, outline = slices.study, answers.outline
    view = answers.view.view
    at_key = None if outline is None else slices.stack.take(outline.labels)[answers.key] > 0
    case = Case(
        tumor=answers.tumor.tumor,
        view=view,
        pixels=slices.pixels(answers.key),
        mask=at_key,
        saliency=answers.tumor.saliency,
        dicom_view=slices.view,
        spacing_mm=slices.spacing_mm,
        orientation=slices.orientation,
        stated_by="DICOM orientation" if study.format == "dicom" else "file's affine",
    )
    verdict, reasons = judge(case, limits, tuple(_noted(study, answers)))
    analysis_id = new_analysis_id()
    if slices.view is not None:
        source = "dicom" if study.format == "dicom" else "nifti"
        view = ViewClassification(label=slices.view, probabilities=view.probabilities, source=source)
    analysis = FinishedAnalysis(
        id=analysis_id,
        state="succeeded",
        created_at=datetime.now(UTC),
        progress=last_progress(watch, len(answers.stage_models), len(answers.failures)),
        input=_input(study),
        verdict=verdict,
        reasons=reasons,
        view=view,
        tumor=answers.tumor.tumor,
        clinical=clinical_summary(answers.vector, None if outline is None else outline.by_slices),
        segmentation=None if outline is None else _segmentation(slices, outline, at_key),
        metadata_effect=answers.effect,
        key_slice=KeySlice(plane=slices.stack.plane, index=answers.key, of=slices.count),
        models=answers.models,
        links=volume_links(
            analysis_id, study.sequences, outlined=outline is not None, mapped=answers.tumor.saliency is not None
        ),
        problem=as_problem(answers.failures[0]) if answers.failures else None,
        timings_ms=timings(watch),
    )
    return VolumeFindings(
        analysis=analysis,
        grid=study.grid,
        pictures={name: shown(volume.voxels) for name, volume in study.sequences.items()},
        primary=study.primary_sequence,
        labels=None if outline is None else outline.labels,
        names={} if outline is None else outline.names,
        saliency=answers.tumor.saliency,
    )


def shown(voxels: NDArray[Any]) -> NDArray[np.uint8]:
    """Gray values between the half percent at either end as 0 to 255, of the same shape."""
    low, high = np.percentile(voxels[::2, ::2, ::2], _SHOWN_PERCENT)
    scale = np.float32(255 / max(float(high - low), 1e-6))
    out = np.empty(voxels.shape, np.uint8)
    # Plane by plane: the whole as float32 would be four times the result.
    for plane, into in zip(voxels, out, strict=True):
        np.clip((plane.astype(np.float32) - np.float32(low)) * scale, 0, 255, out=into, casting="unsafe")
    return out


def _noted(study: VolumeStudy, answers: VolumeAnswers) -> Iterator[Reason]:
    yield from unusual(answers.view.novelty, study.body_part)
    if answers.tumor.tumor.coverage < 1:
        yield Reason(code="not_calibrated", detail=_ON_SLICES)
    outline = answers.outline
    if outline is not None and outline.by_slices is None and not skull_stripped(study):
        yield Reason(code="unusual_input", detail=_WITH_SKULL)
    for error in answers.failures:
        yield unavailable(error)


def _input(study: VolumeStudy) -> InputSummary:
    grid, stack = study.grid, study.stack
    count, rows, columns = stack.shape
    return InputSummary(
        kind=study.kind,
        format=study.format,
        sha256=study.sha256,
        rows=rows,
        columns=columns,
        slices=count,
        spacing_mm=stack.spacing_mm[1:],
        sequences=tuple(study.sequences),
        warnings=study.warnings,
        geometry=VolumeGeometry(
            shape=grid.shape,
            spacing_mm=grid.spacing_mm,
            axis_codes=grid.axis_codes if grid.oriented else None,
            affine=tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in grid.affine),
        ),
    )


def _segmentation(
    slices: VolumeSlices, outline: VolumeOutline, at_key: NDArray[np.bool_] | None
) -> SegmentationSummary:
    study = slices.study
    midline = find_midline(study.primary.voxels, study.grid)
    volume = summarize_volume(outline.labels, study.grid, outline.names, midline, outline.band)
    area_px, box = (0, (0, 0, 0, 0)) if at_key is None else extent(at_key)
    largest = volume.lesions[0] if volume.lesions else None
    slice_result = None if outline.by_slices is None else outline.by_slices.result
    rows_mm, columns_mm = slices.spacing_mm
    return SegmentationSummary(
        area_px=area_px,
        area_mm2=area_px * rows_mm * columns_mm,
        volume_ml=volume.volume_ml,
        longest_diameter_mm=largest.longest_diameter_mm if largest else 0.0,
        perpendicular_diameter_mm=largest.perpendicular_diameter_mm if largest else 0.0,
        bounding_box=box,
        labels=dict(outline.counts),
        substituted={} if slice_result is None else slice_result.substituted,
        clinical_used=slice_result is not None and slice_result.clinical_used,
        clinical_left_out=slice_result is not None and slice_result.clinical_left_out,
        missing=outline.missing,
        volume=volume,
    )
