"""The policy: everything that can speak against an answer, and what follows from it. docs/verdict.md explains it.

`answer` may stand by itself, `review` wants a reader first, `refuse` is no answer: nothing may be read from it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gateway.findings import Mask, Pixels, Saliency
from gateway.judge.limits import JudgeLimits
from gateway.schemas import Reason, ReasonCode, Verdict
from service_kit.contracts.classification import TumorClassification, ViewClassification, ViewLabel
from service_kit.inference.agreement import head_area_px, head_box, heat_place, heat_share, mask_place
from service_kit.inference.region import shown

NO_TUMOR = "no_tumor"
REFUSING: frozenset[ReasonCode] = frozenset({"no_label_excluded", "unknown_view"})
"""With one of these the answer would be meaningless; every other reason wants a reader."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged.

    Attributes:
        tumor, view: what the models say; `dicom_view` is what the file says of its plane, None where it is silent.
        pixels: `[rows, columns]`, as classified.
        mask: of the same shape; None when nothing was segmented.
        saliency: the heat map; None when none was asked for.
        spacing_mm: (between rows, between columns), None where unknown.
        orientation: as in `Study`.
        stated_by: what says the plane, in words.
    """

    tumor: TumorClassification
    view: ViewClassification
    pixels: Pixels
    mask: Mask | None = None
    saliency: Saliency | None = None
    dicom_view: ViewLabel | None = None
    spacing_mm: tuple[float, float] | None = None
    orientation: tuple[float, ...] | None = None
    stated_by: str = "DICOM orientation"


def judge(case: Case, limits: JudgeLimits, noted: Iterable[Reason] = ()) -> tuple[Verdict, tuple[Reason, ...]]:
    """The verdict with all its reasons. `noted` are those found elsewhere: a stage without answer, an unusual input."""
    reasons = (
        *_confidence(case, limits),
        *_view(case, limits),
        *_outline(case, limits),
        *_heat(case, limits),
        *_sella(case, limits),
        *noted,
    )
    if any(reason.code in REFUSING for reason in reasons):
        return "refuse", reasons
    return ("review" if reasons else "answer"), reasons


def _confidence(case: Case, limits: JudgeLimits) -> Iterator[Reason]:
    tumor = case.tumor
    labels, everything = tumor.prediction_set, len(tumor.probabilities)
    name = f"{tumor.coverage * 100:g} % prediction set"
    probability = tumor.probabilities[tumor.label]
    if tumor.coverage >= 1:
        detail = "The tumor model carries no calibration: its probabilities and its prediction set promise nothing."
        yield Reason(code="not_calibrated", detail=detail)
    elif len(labels) == everything:
        detail = (
            f"The {name} holds all {everything} labels that the model knows: it excludes nothing, so it says nothing."
        )
        yield Reason(code="no_label_excluded", detail=detail, measured=len(labels), limit=everything - 1)
    elif not labels:
        detail = f"The {name} is empty: the slice looks like none of the labels that the model was calibrated on."
        yield Reason(code="empty_prediction_set", detail=detail, measured=0, limit=1)
    elif len(labels) > 1:
        detail = f"The {name} holds {len(labels)} labels, where one makes an answer: {', '.join(map(_words, labels))}."
        yield Reason(code="low_confidence", detail=detail, measured=len(labels), limit=1)
    elif labels[0] != tumor.label:
        detail = (
            f"The likeliest label is {_words(tumor.label)} ({_percent(probability)}), but the {name} holds "
            f"{_words(labels[0])} alone: for the likeliest label this is less than is usual."
        )
        yield Reason(code="low_confidence", detail=detail, measured=probability)
    elif probability < limits.min_probability:
        limit = limits.min_probability
        found = f"The probability of {_words(tumor.label)} is {_percent(probability)}"
        detail = f"{found}, under the limit of {_percent(limit)}."
        yield Reason(code="low_confidence", detail=detail, measured=probability, limit=limit)


def _view(case: Case, limits: JudgeLimits) -> Iterator[Reason]:
    label = case.view.label
    probability = case.view.probabilities[label]
    if case.dicom_view is not None:
        if case.dicom_view != label:
            detail = (
                f"The {case.stated_by} makes this a slice of the {case.dicom_view} plane, but it looks {label} "
                f"({_percent(probability)} by the view model)."
            )
            yield Reason(code="view_disagreement", detail=detail, measured=probability)
    elif probability < limits.unknown_view_probability:
        detail = (
            f"The plane cannot be told: {label}, the likeliest, has {_percent(probability)}, under the limit of "
            f"{_percent(limits.unknown_view_probability)}. The tumor's type rests on it."
        )
        limit = limits.unknown_view_probability
        yield Reason(code="unknown_view", detail=detail, measured=probability, limit=limit)
    elif probability < limits.min_view_probability:
        limit = limits.min_view_probability
        detail = f"The plane is uncertain: {label} has {_percent(probability)}, under the limit of {_percent(limit)}."
        yield Reason(code="uncertain_view", detail=detail, measured=probability, limit=limit)


def _outline(case: Case, limits: JudgeLimits) -> Iterator[Reason]:
    if case.mask is None:
        return
    area_px = int(np.count_nonzero(case.mask))
    if case.tumor.label != NO_TUMOR:
        if area_px == 0:
            detail = f"The slice was classified as {_words(case.tumor.label)}, but nothing was outlined."
            yield Reason(code="tumor_without_mask", detail=detail, measured=0)
        return
    if area_px == 0:
        return
    if case.spacing_mm is not None:
        found, limit = area_px * case.spacing_mm[0] * case.spacing_mm[1], limits.max_mm2_without_tumor
        words = f"{found:.0f} mm² were outlined, over the limit of {limit:g} mm²"
    else:
        found, limit = area_px / max(head_area_px(case.pixels), 1), limits.max_share_without_tumor
        words = f"{_percent(found)} of the head was outlined, over the limit of {_percent(limit)}"
    if found > limit:
        detail = f"No tumor was classified, but {words}."
        yield Reason(code="mask_without_tumor", detail=detail, measured=found, limit=limit)


def _heat(case: Case, limits: JudgeLimits) -> Iterator[Reason]:
    heat, label = case.saliency, case.tumor.label
    if heat is None or case.mask is None or label == NO_TUMOR or heat.label != label or not case.mask.any():
        return
    share, limit = heat_share(heat.values, heat.extent, case.mask), limits.min_heat_share
    if share < limit:
        detail = (
            f"The classifier looked elsewhere: {_percent(share)} of its evidence for {_words(label)} lies on the "
            f"outline or next to it, under the limit of {_percent(limit)}."
        )
        yield Reason(code="heat_off_mask", detail=detail, measured=share, limit=limit)


def _sella(case: Case, limits: JudgeLimits) -> Iterator[Reason]:
    view = case.dicom_view or case.view.label
    region = limits.sella.get(view)
    if case.tumor.label != "pituitary" or region is None:
        return
    head = head_box(case.pixels)
    what, place = "outline", None if case.mask is None else mask_place(case.mask, head)
    if place is None and case.saliency is not None and case.saliency.label == "pituitary":
        what, place = "evidence", heat_place(case.saliency.values, case.saliency.extent, head)
    if place is None:
        return
    if case.orientation is None or case.dicom_view is None:
        # A picture may be mirrored or upside down: nobody can tell which side is the front.
        region = region.mirrored()
    else:
        place = shown(place, case.dicom_view, case.orientation)
    if not region.holds(place):
        detail = (
            f"The {what}'s center lies {_percent(round(place[0], 3))} down and {_percent(round(place[1], 3))} across "
            f"the head; on {view} slices a pituitary tumor lies {_range(region.top, region.bottom)} down and "
            f"{_range(region.left, region.right)} across."
        )
        yield Reason(code="pituitary_off_sella", detail=detail)


def _words(label: str) -> str:
    return label.replace("_", " ")


def _percent(share: float) -> str:
    """Four digits: a value just under its limit does not read like the limit."""
    return f"{share * 100:.4g} %"


def _range(low: float, high: float) -> str:
    return f"{_percent(round(low, 3))} to {_percent(round(high, 3))}"
