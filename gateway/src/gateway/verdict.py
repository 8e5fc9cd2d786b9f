"""From findings to a verdict: may the answer stand by itself, or must a reader look first?"""

from collections.abc import Iterable

import numpy as np

from gateway.findings import Mask, Pixels
from gateway.schemas import Reason, Verdict
from service_kit.contracts.classification import TumorClassification, ViewLabel

# A mask this large, as a share of the head, contradicts "no tumor"; a smaller one may be a stray component.
_CONTRADICTING_SHARE = 0.01


def judge(
    *,
    tumor: TumorClassification,
    dicom_view: ViewLabel | None,
    model_view: ViewLabel,
    pixels: Pixels,
    mask: Mask | None,
    unavailable: Iterable[Reason] = (),
) -> tuple[Verdict, tuple[Reason, ...]]:
    """`review` when there is a reason, else `answer`. `mask` is None when nothing was segmented."""
    reasons = [*_confidence(tumor), *_view(dicom_view, model_view), *_outline(tumor, pixels, mask), *unavailable]
    return ("review" if reasons else "answer"), tuple(reasons)


def _confidence(tumor: TumorClassification) -> Iterable[Reason]:
    labels = tumor.prediction_set
    name = f"{tumor.coverage * 100:g} % prediction set"
    if not labels:
        yield Reason(code="low_confidence", detail=f"The {name} is empty: the picture is unlike those calibrated on.")
    elif len(labels) > 1:
        yield Reason(code="low_confidence", detail=f"The {name} holds {len(labels)} labels: {', '.join(labels)}.")
    elif labels[0] != tumor.label:
        detail = f"The likeliest label is {tumor.label}, but the {name} holds {labels[0]} alone."
        yield Reason(code="low_confidence", detail=detail)


def _view(dicom_view: ViewLabel | None, model_view: ViewLabel) -> Iterable[Reason]:
    if dicom_view is not None and dicom_view != model_view:
        detail = f"The DICOM orientation says {dicom_view}, the model {model_view}."
        yield Reason(code="view_disagreement", detail=detail)


def _outline(tumor: TumorClassification, pixels: Pixels, mask: Mask | None) -> Iterable[Reason]:
    if mask is None:
        return
    area_px = int(np.count_nonzero(mask))
    if tumor.label != "no_tumor":
        if area_px == 0:
            detail = f"The slice was classified as {tumor.label}, but nothing was outlined."
            yield Reason(code="tumor_without_mask", detail=detail)
        return
    head_px = head_area_px(pixels) if area_px else 0
    if area_px > _CONTRADICTING_SHARE * head_px:
        detail = f"No tumor was classified, but {area_px / max(head_px, 1):.1%} of the head was outlined."
        yield Reason(code="mask_without_tumor", detail=detail)


def head_area_px(pixels: Pixels) -> int:
    """How many pixels of `[rows, columns]` are brighter than the background (an eighth of the range)."""
    low, high = float(pixels.min()), float(np.percentile(pixels, 99.0))
    return int(np.count_nonzero(pixels > low + 0.12 * (high - low)))
