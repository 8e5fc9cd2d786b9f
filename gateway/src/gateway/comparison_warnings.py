"""What makes two analyses less alike than their comparison needs."""

from collections.abc import Iterator, Sequence
from typing import Final

from gateway.comparison_schemas import ComparisonWarning, ComparisonWarningCode
from gateway.outlined import Outlined

_SAME_SPACING: Final = 0.1
"""Spacings that differ by less than this share count as the same."""
_ALWAYS: Final[tuple[tuple[ComparisonWarningCode, str], ...]] = (
    (
        "order_unknown",
        "Which scan is the earlier one is the caller's word: created_at is when an analysis was sent, not the scan's "
        "date.",
    ),
    ("patient_unknown", "That both scans are of one patient is the caller's word."),
)


def find_warnings(before: Outlined, after: Outlined) -> tuple[ComparisonWarning, ...]:
    """All warnings, those that hold for every comparison first."""
    found = [*_ALWAYS, *_of_input(before, after), *_of_outline(before, after)]
    if before.segmentation.volume is not None and after.segmentation.volume is not None:
        found += _of_volume(before, after)
    else:
        found.append(("no_interval", "Slices have no interval: whether the change exceeds the error is not known."))
    found += _of_answers(before, after)
    return tuple(ComparisonWarning(code=code, detail=detail) for code, detail in found)


def _of_input(before: Outlined, after: Outlined) -> Iterator[tuple[ComparisonWarningCode, str]]:
    if after.analysis.created_at < before.analysis.created_at:
        yield "order_reversed", "The follow-up was analyzed before the baseline: perhaps the two ids are exchanged."
    if before.input.sha256 == after.input.sha256:
        yield "same_file", "Both analyses are of the same file."
    if set(before.input.sequences) != set(after.input.sequences):
        yield (
            "different_sequences",
            f"Sequences differ: {_listed(before.input.sequences)} and {_listed(after.input.sequences)}. An outline "
            "made of other sequences may differ without any change in the patient.",
        )
    spacings = [_spacing_mm(one) for one in (before, after)]
    first, second = spacings
    if len(first) != len(second) or any(
        abs(one - other) > _SAME_SPACING * max(one, other) for one, other in zip(first, second, strict=True)
    ):
        yield "different_spacing", f"Voxel spacings differ: {_millimeters(first)} and {_millimeters(second)}."


def _of_outline(before: Outlined, after: Outlined) -> Iterator[tuple[ComparisonWarningCode, str]]:
    models = [
        {
            f"{model.name} {model.version} ({model.sha256[:12]})"
            for model in one.analysis.models
            if model.stage == "segmentation"
        }
        for one in (before, after)
    ]
    if models[0] != models[1]:
        yield "different_models", f"The outlines are of different models: {_listed(models[0])}; {_listed(models[1])}."
    if before.segmentation.clinical_used != after.segmentation.clinical_used:
        yield "different_record", "One outline was made with the clinical record and one without."
    if set(before.segmentation.labels) != set(after.segmentation.labels):
        yield "different_labels", "The outlines have different labels; only those that both have are compared."
    for name, one in (("baseline", before), ("follow-up", after)):
        if one.segmentation.area_px == 0:
            yield "empty_outline", f"The {name} outlines nothing, which does not prove that nothing is there."


def _of_volume(before: Outlined, after: Outlined) -> Iterator[tuple[ComparisonWarningCode, str]]:
    first, second = before.segmentation.volume, after.segmentation.volume
    if first is None or second is None:
        return
    sides = {first.side, second.side}
    if sides == {"left", "right"}:
        yield (
            "different_sides",
            "One tumor lies left and one right: another lesion, another patient, or a flipped scan.",
        )
    if "enhancing_tumor" in first.labels or "enhancing_tumor" in second.labels:
        yield (
            "whole_outline",
            "Volume and products are of all labels together, with the edema; RANO measures the enhancing tumor where "
            "there is one: `labels` has its volume.",
        )
    counts = [sum(lesion.measurable for lesion in one.lesions) for one in (first, second)]
    if counts[0] != counts[1] and all(one.lesions for one in (first, second)):
        yield (
            "near_measurable",
            f"{counts[0]} lesions at baseline and {counts[1]} at follow-up are measurable (10 mm): as many of the "
            "largest are summed at both times where there are so many.",
        )
    if any(one.volume_ml_interval is None or (one.lesions and one.longest_diameter_mm_interval is None)
           for one in (first, second)):  # fmt: skip
        yield "no_interval", "No interval was fitted for a model: whether the change exceeds the error is not known."


def _of_answers(before: Outlined, after: Outlined) -> Iterator[tuple[ComparisonWarningCode, str]]:
    for name, one in (("baseline", before), ("follow-up", after)):
        if one.analysis.verdict != "answer":
            yield "not_an_answer", f"The verdict on the {name} is {one.analysis.verdict}: see its reasons first."
        if one.analysis.problem is not None:
            yield "partial_answer", f"The {name} is a partial answer: see its problem."


def _spacing_mm(one: Outlined) -> Sequence[float]:
    """Sorted, so that another order of the array's axes is no other spacing."""
    spacing = one.input.spacing_mm if one.input.geometry is None else one.input.geometry.spacing_mm
    return sorted(spacing or ())


def _millimeters(spacing: Sequence[float]) -> str:
    return f"{' x '.join(f'{step:.3g}' for step in spacing)} mm" if spacing else "unknown"


def _listed(names: Sequence[str] | set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
