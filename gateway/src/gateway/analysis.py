"""From the services' answers to the Analysis that callers see."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.analysis_id import new_analysis_id
from gateway.artifacts import job_links, links
from gateway.clients.classifier import TumorAnswer, ViewAnswer
from gateway.clients.segmenter import SegmentationAnswer
from gateway.door import unusual
from gateway.findings import Findings
from gateway.imaging.study import Study
from gateway.judge.limits import JudgeLimits
from gateway.judge.policy import Case, judge
from gateway.reporting.measure import Axis, measure
from gateway.schemas import (
    Analysis,
    ClinicalSummary,
    FinishedAnalysis,
    InputSummary,
    MetadataEffect,
    Progress,
    ProgressStage,
    Reason,
    SegmentationSummary,
    Timings,
)
from gateway.stopwatch import Stopwatch
from service_kit import context
from service_kit.contracts.classification import ViewClassification
from service_kit.contracts.clinical import ClinicalVector
from service_kit.contracts.common import ModelRef
from service_kit.errors import ServiceError
from service_kit.problems import TYPE_PREFIX, Problem

_LEFT_OUT = (
    "The outline was made without the clinical record: it did not improve the outlines of {model} in evaluation. "
    "The option `clinical: always` hands it over."
)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the services said; `failures` are those of the stages that an analysis can do without.

    `beside` are the view models that ran for their features or their novelty, beside the one that was asked for.
    """

    view: ViewAnswer
    tumor: TumorAnswer
    vector: ClinicalVector | None
    outline: SegmentationAnswer | None
    failures: tuple[ServiceError, ...] = ()
    effect: MetadataEffect | None = field(default=None, kw_only=True)
    beside: tuple[ModelRef, ...] = ()

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """The models that answered, in the order of the stages."""
        first, *rest = self.stage_models
        return (first, *self.beside, *rest)

    @property
    def stage_models(self) -> tuple[ModelRef, ...]:
        """The one model of each stage that answered."""
        return tuple(self._stage_models())

    def _stage_models(self) -> Iterator[ModelRef]:
        yield self.view.model
        yield self.tumor.model
        if self.vector is not None:
            yield self.vector.model
        if self.outline is not None:
            yield self.outline.result.model


def compose(study: Study, answers: Answers, watch: Stopwatch, limits: JudgeLimits) -> Findings:
    """Measure, judge, and put the Analysis together."""
    mask = None if answers.outline is None else answers.outline.mask
    case = Case(
        tumor=answers.tumor.tumor,
        view=answers.view.view,
        pixels=study.primary,
        mask=mask,
        saliency=answers.tumor.saliency,
        dicom_view=study.view,
        spacing_mm=study.spacing_mm,
        orientation=study.orientation,
    )
    strange = unusual(answers.view.novelty, study.body_part)
    verdict, reasons = judge(case, limits, (*strange, *(unavailable(error) for error in answers.failures)))
    segmentation = None if answers.outline is None else summarize_outline(answers.outline, study.spacing_mm)
    analysis_id = new_analysis_id()
    analysis = FinishedAnalysis(
        id=analysis_id,
        state="succeeded",
        created_at=datetime.now(UTC),
        progress=last_progress(watch, len(answers.stage_models), len(answers.failures)),
        input=InputSummary(
            kind=study.kind,
            format=study.format,
            sha256=study.sha256,
            rows=study.rows,
            columns=study.columns,
            slices=1,
            spacing_mm=study.spacing_mm,
            sequences=tuple(study.sequences),
            warnings=study.warnings,
            orientation=study.orientation,
        ),
        verdict=verdict,
        reasons=reasons,
        view=_view(study, answers.view.view),
        tumor=answers.tumor.tumor,
        clinical=clinical_summary(answers.vector, answers.outline),
        segmentation=segmentation,
        metadata_effect=answers.effect,
        models=answers.models,
        links=links(analysis_id, outlined=mask is not None, mapped=answers.tumor.saliency is not None),
        problem=as_problem(answers.failures[0]) if answers.failures else None,
        timings_ms=timings(watch),
    )
    return Findings(analysis, study.primary, mask, answers.tumor.saliency)


def last_progress(watch: Stopwatch, answered: int, failed: int) -> Progress:
    """That of a finished analysis: how many stages answered of those that were asked."""
    stage: ProgressStage = "segmentation" if "segmentation" in watch.spans_ms else "tumor"
    return Progress(stage=stage, done=answered, total=answered + failed)


def timings(watch: Stopwatch) -> Timings:
    """What each stage took; view and tumor have run in every finished analysis."""
    spans = watch.spans_ms
    return Timings(
        decode=spans.get("decode", 0.0),
        view=spans["view"],
        tumor=spans["tumor"],
        clinical=spans.get("clinical"),
        segmentation=spans.get("segmentation"),
        explanation=spans.get("explanation"),
        total=watch.total_ms,
    )


def queued_analysis() -> Analysis:
    """A new analysis that waits."""
    analysis_id = new_analysis_id()
    return Analysis(
        id=analysis_id,
        state="queued",
        created_at=datetime.now(UTC),
        progress=Progress(stage="decode", done=0, total=1),
        input=None,
        verdict=None,
        reasons=(),
        view=None,
        tumor=None,
        clinical=None,
        segmentation=None,
        models=(),
        timings_ms=None,
        links=job_links(analysis_id),
        problem=None,
    )


def summarize_outline(outline: SegmentationAnswer, spacing_mm: tuple[float, float] | None) -> SegmentationSummary:
    """The outline's measures as callers see them. Without spacing there are no millimeters."""
    result = outline.result
    found = measure(outline.mask, spacing_mm)
    return SegmentationSummary(
        area_px=found.area_px,
        area_mm2=found.area_mm2,
        volume_ml=None,
        longest_diameter_mm=found.longest_diameter_mm,
        perpendicular_diameter_mm=found.perpendicular_diameter_mm,
        longest_axis_px=_rounded(found.longest_axis),
        perpendicular_axis_px=_rounded(found.perpendicular_axis),
        bounding_box=found.bounding_box,
        labels=result.labels,
        substituted=result.substituted,
        clinical_used=result.clinical_used,
        clinical_left_out=result.clinical_left_out,
    )


def _rounded(axis: Axis | None) -> Axis | None:
    if axis is None:
        return None
    start, end = ((round(row, 1), round(column, 1)) for row, column in axis)
    return start, end


def _view(study: Study, view: ViewClassification) -> ViewClassification:
    """What the DICOM file says of its plane is known; the model's probabilities stay beside it."""
    if study.view is None:
        return view
    return ViewClassification(label=study.view, probabilities=view.probabilities, source="dicom")


def clinical_summary(vector: ClinicalVector | None, outline: SegmentationAnswer | None) -> ClinicalSummary | None:
    """What became of the record; `outline` is that of a model that reads slices."""
    if vector is None:
        return None
    warnings = vector.warnings
    if outline is not None and outline.result.clinical_left_out:
        warnings = (*warnings, _LEFT_OUT.format(model=outline.result.model.name))
    return ClinicalSummary(features=vector.features, imputed=vector.imputed, warnings=warnings)


def unavailable(error: ServiceError) -> Reason:
    """A stage that an analysis can do without gave no answer."""
    return Reason(code="stage_unavailable", detail=f"The stage {error.stage} gave no answer: {error.detail}")


def as_problem(error: ServiceError) -> Problem:
    """The error as an analysis shows it."""
    return Problem(
        type=TYPE_PREFIX + error.code,
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        request_id=context.request_id(),
        stage=error.stage,
    )
