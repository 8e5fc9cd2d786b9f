"""What the gateway answers: the Analysis and its parts. The field names are the public API and stay."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.review_schemas import Review
from gateway.volume_schemas import KeySlice, VolumeGeometry, VolumeSummary
from service_kit.contracts.classification import TumorClassification, ViewClassification
from service_kit.contracts.common import ModelRef, Sequence, StageName
from service_kit.contracts.models import Reads, TensorDescription
from service_kit.problems import Problem

DISCLAIMER = "Research use only. Not a medical device."

AnalysisState = Literal["queued", "running", "succeeded", "failed", "canceled"]
FINAL_STATES: frozenset[AnalysisState] = frozenset({"succeeded", "failed", "canceled"})
ProgressStage = Literal["decode", "view", "tumor", "clinical", "segmentation", "explanation"]
Priority = Literal["routine", "stat"]
Axis = tuple[tuple[float, float], tuple[float, float]]
Verdict = Literal["answer", "review", "refuse"]
SegmentPolicy = Literal["auto", "always", "never"]
RecordPolicy = Literal["auto", "always"]
ReasonCode = Literal[
    "low_confidence",
    "empty_prediction_set",
    "no_label_excluded",
    "not_calibrated",
    "uncertain_view",
    "unknown_view",
    "view_disagreement",
    "mask_without_tumor",
    "tumor_without_mask",
    "heat_off_mask",
    "pituitary_off_sella",
    "unusual_input",
    "stage_unavailable",
]


class Schema(BaseModel):
    """Base of what callers see: immutable."""

    model_config = ConfigDict(frozen=True)


class AnalysisOptions(BaseModel):
    """The form field `options`. `segment: auto` outlines where a tumor is likely; `sequence` says what a picture is
    that does not say it itself; `models` picks a published model for a stage. With `gate` the tumor stage decides
    alone: `auto` outlines only where its label is a tumor, and no longer where one merely cannot be excluded.
    `clinical: auto` hands the record to the outline where evaluation found that this helps, `always` in any case.
    `explain_metadata` asks what the clinical record does to the outline, which is then made as with `always` of both.
    For jobs (`Prefer: respond-async`): `priority` stat goes before every routine one that waits, `webhook` is the URL
    that is called when the analysis is finished.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"segment": "auto", "heatmap": True, "sequence": "t1ce", "models": {}}]},
    )

    segment: SegmentPolicy = "auto"
    heatmap: bool = True
    sequence: Sequence | None = None
    models: dict[StageName, str] = {}
    gate: bool = False
    clinical: RecordPolicy = "auto"
    explain_metadata: bool = False
    priority: Priority = "routine"
    webhook: Annotated[str, Field(min_length=1, max_length=2000)] | None = None

    @property
    def record_always_read(self) -> bool:
        """Whether the record is handed also to a model that it does not help."""
        return self.clinical == "always" or self.explain_metadata

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        if self.gate and self.segment != "auto":
            raise ValueError(f"gate goes with segment auto, not with {self.segment}")
        return self


class Progress(Schema):
    """How far the analysis is. While it waits or runs: the stage, and steps of this stage done of all (the tiles of a
    volume; most stages have one). When it has succeeded: the last stage, and stages done of all.
    """

    stage: ProgressStage
    done: int
    total: int


class InputSummary(Schema):
    """What was sent. `sha256` is that of the file; `spacing_mm` is (between rows, between columns).

    `orientation` of a slice are six cosines as in DICOM's ImageOrientationPatient: the directions in the patient (left,
    posterior, superior) in which columns and rows count. None where the file does not say: then nothing tells left from
    right.

    Of a series or a volume, rows, columns, slices and spacing are those of the slices as they were taken; `geometry`
    has the whole grid.
    """

    kind: Literal["slice", "series", "volume"]
    format: str
    sha256: str
    rows: int
    columns: int
    slices: int
    spacing_mm: tuple[float, float] | None
    sequences: tuple[Sequence, ...]
    warnings: tuple[str, ...] = ()
    orientation: tuple[float, ...] | None = None
    geometry: VolumeGeometry | None = None


class Reason(Schema):
    """Why the verdict is not `answer`: in words, and the value that was measured with its limit where there is one."""

    code: ReasonCode
    detail: str
    measured: float | None = None
    limit: float | None = None


class ClinicalSummary(Schema):
    """The clinical vector by feature name; `imputed` names the record's fields that were missing and filled in."""

    features: dict[str, float]
    imputed: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class SegmentationSummary(Schema):
    """The outline's measures; millimeters are None where the spacing is unknown.

    `bounding_box` is (top, left, bottom, right) in pixels, the last two exclusive. `substituted` maps a channel of the
    model that was not sent to the sequence that stood in for it, `missing` names channels that stayed empty.
    `clinical_left_out`: the outline was made without the
    record that was sent, because it did not help in evaluation.

    `*_axis_px` are the ends of both diameters of a slice's outline, (row, column) in pixels with centers at whole
    numbers; None of an empty outline.

    Of a series or a volume, `volume` has the measures in three dimensions. Area and box are then those of the outline
    on the key slice, diameters those of the largest lesion, `labels` counts voxels; where the diameters lie is told in
    millimeters by `volume.lesions`, and `*_axis_px` is None.
    """

    area_px: int
    area_mm2: float | None
    volume_ml: float | None
    longest_diameter_mm: float | None
    perpendicular_diameter_mm: float | None
    longest_axis_px: Axis | None = None
    perpendicular_axis_px: Axis | None = None
    bounding_box: tuple[int, int, int, int]
    labels: dict[str, int]
    substituted: dict[str, str] = {}
    clinical_used: bool = False
    clinical_left_out: bool = False
    missing: tuple[str, ...] = ()
    volume: VolumeSummary | None = None


class FieldEffect(Schema):
    """What one field of the clinical record does: the outline with it against the one without it.

    `dice` is their overlap (1 = the same); the changes are with minus without, None where millimeters or a third
    dimension are unknown.
    """

    field: str
    dice: float
    area_change_px: int
    area_change_mm2: float | None
    ml_change: float | None


class MetadataEffect(Schema):
    """What the clinical record does to the outline: with it against an empty one, then field by field.

    Changes are with minus without, as in `FieldEffect`; `summary` says it in words.
    """

    dice_with_without: float
    area_change_px: int
    area_change_mm2: float | None
    ml_change: float | None
    fields: tuple[FieldEffect, ...]
    summary: str


class Timings(Schema):
    """Wall-clock milliseconds of each stage as the gateway saw it; None for a stage that did not run."""

    decode: float
    view: float
    tumor: float
    clinical: float | None
    segmentation: float | None
    explanation: float | None = None
    total: float


ANALYSIS_EXAMPLE: dict[str, Any] = {
    "id": "019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10",
    "state": "succeeded",
    "created_at": "2026-11-21T12:00:00.000Z",
    "progress": {"stage": "segmentation", "done": 4, "total": 4},
    "input": {
        "kind": "slice",
        "format": "png",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "rows": 512,
        "columns": 512,
        "slices": 1,
        "spacing_mm": None,
        "sequences": ["t1ce"],
        "warnings": [],
    },
    "verdict": "review",
    "reasons": [
        {
            "code": "low_confidence",
            "detail": "The 95 % prediction set holds 2 labels, where one makes an answer: glioma, meningioma.",
            "measured": 2.0,
            "limit": 1.0,
        }
    ],
    "view": {
        "label": "axial",
        "probabilities": {"axial": 0.99, "coronal": 0.01, "sagittal": 0.0},
        "source": "model",
    },
    "tumor": {
        "label": "glioma",
        "present_probability": 0.98,
        "probabilities": {"glioma": 0.9, "meningioma": 0.08, "no_tumor": 0.02, "pituitary": 0.0},
        "prediction_set": ["glioma", "meningioma"],
        "coverage": 0.95,
    },
    "clinical": {"features": {"age": 0.61, "gender_female": 1.0}, "imputed": ["race"], "warnings": []},
    "segmentation": {
        "area_px": 2210,
        "area_mm2": None,
        "volume_ml": None,
        "longest_diameter_mm": None,
        "perpendicular_diameter_mm": None,
        "longest_axis_px": [[182.1, 203.4], [236.8, 258.0]],
        "perpendicular_axis_px": [[224.9, 211.3], [194.6, 241.7]],
        "bounding_box": [180, 200, 240, 262],
        "labels": {"tumor": 2210},
        "substituted": {},
        "clinical_used": False,
    },
    "metadata_effect": None,
    "models": [
        {
            "stage": "tumor",
            "name": "tumor",
            "version": "1",
            "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
            "backend": "onnxruntime",
            "provider": "CPUExecutionProvider",
            "precision": "fp32",
        }
    ],
    "timings_ms": {"decode": 1.2, "view": 3.1, "tumor": 4.0, "clinical": 0.8, "segmentation": 11.0, "total": 19.3},
    "links": {
        "self": "/v1/analyses/019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10",
        "overlay": "/v1/analyses/019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10/overlay.png",
    },
    "problem": None,
    "reviews": [],
    "disclaimer": DISCLAIMER,
}


class Analysis(Schema):
    """The job and its result in one. Parts that did not run, or not yet, are null; `problem` says why where a stage
    failed. `reviews` is what readers said of it, oldest first.
    """

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [ANALYSIS_EXAMPLE]})

    id: str
    state: AnalysisState
    created_at: datetime
    progress: Progress
    input: InputSummary | None
    verdict: Verdict | None
    reasons: tuple[Reason, ...]
    view: ViewClassification | None
    tumor: TumorClassification | None
    clinical: ClinicalSummary | None
    segmentation: SegmentationSummary | None
    metadata_effect: MetadataEffect | None = None
    key_slice: KeySlice | None = None
    models: tuple[ModelRef, ...]
    timings_ms: Timings | None
    links: dict[str, str]
    problem: Problem | None
    reviews: tuple[Review, ...] = ()
    disclaimer: str = DISCLAIMER


class FinishedAnalysis(Analysis):
    """An analysis that has succeeded: what was sent and what it took are known."""

    input: InputSummary
    timings_ms: Timings


class AnalysisList(Schema):
    """One page, newest first. `next_cursor` is None on the last."""

    analyses: tuple[Analysis, ...]
    next_cursor: str | None


class WebhookDelivery(Schema):
    """What became of an analysis' webhook. `waiting` until the analysis is finished; `dead` when no more calls are
    made. `last_status` is the HTTP status of the last call, None where no answer came.
    """

    analysis_id: str
    webhook_id: str
    state: Literal["waiting", "pending", "delivered", "dead"]
    tries: int
    last_status: int | None


class SegmentationAnswer(Schema):
    """Answer of the stage call `POST /v1/segmentations`; `mask_png` is an 8-bit PNG (0 or 255) in base64."""

    segmentation: SegmentationSummary
    metadata_effect: MetadataEffect | None = None
    model: ModelRef
    mask_png: Annotated[str, Field(json_schema_extra={"contentEncoding": "base64", "contentMediaType": "image/png"})]


class ModelListing(Schema):
    """One model as it is served: `provider` is the one in use, `requested_provider` the one asked for. It `reads`
    slices, one by one, or whole volumes.

    A `default` is used where a request names no model. The others are opened when they are asked for: until then
    `loaded` is false and `provider` "not loaded". `features_of` is the view model whose features a tumor model reads,
    `variant_of` the model that this one was made of, `fallback` which sequence stands in for one that is missing.
    """

    stage: StageName
    name: str
    version: str
    sha256: str
    backend: str
    provider: str
    requested_provider: str
    precision: str
    title: str
    labels: tuple[str, ...]
    reads: Reads
    default: bool
    loaded: bool
    features_of: str | None
    variant_of: str | None
    sequences: tuple[str, ...]
    fallback: dict[str, str]
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]


class UnavailableStage(Schema):
    """A stage whose service gave no answer, and why."""

    stage: StageName
    code: str
    detail: str


class ModelList(Schema):
    """The models of all services that answer; `unavailable` names the other stages."""

    models: tuple[ModelListing, ...]
    unavailable: tuple[UnavailableStage, ...]


class ModelDetail(ModelListing):
    """One model with its card, where the gateway has the model repository at hand."""

    card: dict[str, Any] | None
