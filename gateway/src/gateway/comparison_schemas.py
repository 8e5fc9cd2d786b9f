"""What the comparison of two analyses answers. The field names are the public API and stay."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.schemas import DISCLAIMER, Verdict
from gateway.volume_schemas import Interval
from service_kit.contracts.classification import ViewLabel
from service_kit.contracts.common import Sequence

Unit = Literal["ml", "mm2", "mm"]
ResponseCategory = Literal[
    "complete_response", "partial_response", "stable_disease", "progressive_disease", "cannot_be_told"
]
ComparisonWarningCode = Literal[
    "order_unknown",
    "order_reversed",
    "patient_unknown",
    "same_file",
    "different_sequences",
    "different_models",
    "different_record",
    "different_spacing",
    "different_sides",
    "different_labels",
    "whole_outline",
    "near_measurable",
    "no_interval",
    "empty_outline",
    "not_an_answer",
    "partial_answer",
]


class ComparisonSchema(BaseModel):
    """Base of what callers see: immutable."""

    model_config = ConfigDict(frozen=True)


class ComparisonRequest(BaseModel):
    """Two analyses of one patient, both finished and outlined.

    A change counts as none where its interval reaches into plus or minus `tolerance_percent` of the baseline.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "baseline": "019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10",
                    "followup": "019b3c01-77aa-7e0f-8c55-6a1d2b90c4de",
                    "tolerance_percent": 0,
                }
            ]
        },
    )

    baseline: Annotated[str, Field(min_length=1, max_length=100)]
    followup: Annotated[str, Field(min_length=1, max_length=100)]
    tolerance_percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0


class Change(ComparisonSchema):
    """One measure at both times, in `unit`; `change` is the follow-up's value minus the baseline's.

    Attributes:
        change_percent: of the baseline; None where that is 0.
        change_interval, change_percent_interval: `Comparison.method` says how they are made; None where an interval is
            missing, the latter also where the baseline's reaches down to 0.
        exceeds_measuring_error: whether the whole interval lies beyond 0 and beyond the tolerance; None without one.
    """

    unit: Unit
    baseline: float
    followup: float
    baseline_interval: Interval | None = None
    followup_interval: Interval | None = None
    change: float
    change_interval: Interval | None = None
    change_percent: float | None
    change_percent_interval: Interval | None = None
    exceeds_measuring_error: bool | None = None


class Category(ComparisonSchema):
    """What the change of one measure alone would be called; no response and no progression by itself.

    `category` is what the whole interval supports, `point_category` what the measured change would give if it were
    exact. `reason` says why in words.
    """

    category: ResponseCategory
    point_category: ResponseCategory
    increase_threshold_percent: float
    decrease_threshold_percent: float
    reason: str
    source: str


class LesionCounts(ComparisonSchema):
    """How many lesions there are. Lesions are not matched: that two of two are the same ones is not said."""

    baseline: int
    followup: int
    new_at_least: int
    vanished_at_least: int


class ComparedAnalysis(ComparisonSchema):
    """One of the two. `created_at` is when it was sent, which is not when the patient was scanned."""

    id: str
    created_at: datetime
    verdict: Verdict | None
    sequences: tuple[Sequence, ...]
    models: tuple[str, ...]
    side: Literal["left", "right", "midline"] | None = None
    view: ViewLabel | None = None


class ComparisonWarning(ComparisonSchema):
    """What makes the two less alike than a comparison needs."""

    code: ComparisonWarningCode
    detail: str


class Comparison(ComparisonSchema):
    """The follow-up against the baseline. Nothing of it is stored.

    Of two volumes: `volume`, `sum_of_products`, `labels`, `lesions` and the two categories. Of two slices: `area`.
    The diameters are those of the largest lesion, of both kinds.
    """

    kind: Literal["volume", "slice"]
    baseline: ComparedAnalysis
    followup: ComparedAnalysis
    volume: Change | None = None
    sum_of_products: Change | None = None
    area: Change | None = None
    longest_diameter: Change
    perpendicular_diameter: Change
    labels: dict[str, Change] = {}
    lesions: LesionCounts | None = None
    category: Category | None = None
    volume_category: Category | None = None
    tolerance_percent: float
    method: str
    warnings: tuple[ComparisonWarning, ...]
    statement: str
    disclaimer: str = DISCLAIMER
