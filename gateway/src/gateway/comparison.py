"""Two analyses of one patient against each other: what changed, and whether the change is more than the error.

`docs/comparison.md` defines each figure and names its source.
"""

from collections.abc import Sequence as Items
from typing import Final, Literal

from gateway.comparison_change import METHOD, PRODUCT, VOLUME, categorize, change_between, joined_coverage
from gateway.comparison_schemas import Change, ComparedAnalysis, Comparison, LesionCounts, Unit
from gateway.comparison_warnings import find_warnings
from gateway.errors import NotComparable
from gateway.outlined import Outlined, outlined
from gateway.schemas import Analysis
from gateway.volume_schemas import Interval, LesionSummary, VolumeSummary

STATEMENT: Final = (
    "This is not a diagnosis. The categories are what the change of one measure alone would give. RANO's response "
    "assessment also needs the clinical status, the dose of corticosteroids, new lesions, non-measurable and "
    "non-enhancing disease, the smallest tumor since treatment began (progression counts from there, not from an "
    "earlier scan) and the confirmation by a later scan; shortly after radiotherapy an increase may be "
    "pseudoprogression. A reader must look at both scans."
)


def compare(baseline: Analysis, followup: Analysis, *, tolerance_percent: float = 0.0) -> Comparison:
    """The follow-up against the baseline.

    Raises:
        AnalysisNotFinished: one of them waits or runs.
        NotComparable: the same analysis twice, one that has failed or outlines nothing, a slice against a volume,
            slices without millimeters or of different planes.
    """
    if baseline.id == followup.id:
        raise NotComparable("Baseline and follow-up are the same analysis: send the ids of two.")
    before, after = outlined(baseline, "baseline"), outlined(followup, "followup")
    first, second = before.segmentation.volume, after.segmentation.volume
    if first is not None and second is not None:
        return _of_volumes(before, after, (first, second), tolerance_percent)
    if first is not None or second is not None:
        raise NotComparable("One is a slice and one is a volume: send two volumes, or two slices of the same plane.")
    return _of_slices(before, after, tolerance_percent)


def _of_volumes(
    before: Outlined, after: Outlined, summaries: tuple[VolumeSummary, VolumeSummary], tolerance_percent: float
) -> Comparison:
    first, second = summaries
    volume = change_between(
        "ml",
        (first.volume_ml, second.volume_ml),
        (first.volume_ml_interval, second.volume_ml_interval),
        tolerance_percent=tolerance_percent,
    )
    targets = max(_measurable(first), _measurable(second))
    sums, sum_intervals = zip(*(_sum_of_products(summary, targets) for summary in summaries), strict=True)
    products = change_between(
        "mm2", (sums[0], sums[1]), (sum_intervals[0], sum_intervals[1]), tolerance_percent=tolerance_percent
    )
    shared = [name for name in first.labels if name in second.labels]
    nothing_left = second.voxels == 0
    longest, perpendicular = _diameters(summaries, tolerance_percent)
    return Comparison(
        kind="volume",
        baseline=_compared(before),
        followup=_compared(after),
        volume=volume,
        sum_of_products=products,
        longest_diameter=longest,
        perpendicular_diameter=perpendicular,
        labels={
            name: change_between("ml", (first.labels[name].volume_ml, second.labels[name].volume_ml)) for name in shared
        },
        lesions=LesionCounts(
            baseline=first.lesion_count,
            followup=second.lesion_count,
            new_at_least=max(0, second.lesion_count - first.lesion_count),
            vanished_at_least=max(0, first.lesion_count - second.lesion_count),
        ),
        category=categorize(products, PRODUCT, nothing_left=nothing_left),
        volume_category=categorize(volume, VOLUME, nothing_left=nothing_left),
        tolerance_percent=tolerance_percent,
        method=METHOD,
        warnings=find_warnings(before, after),
        statement=STATEMENT,
    )


def _of_slices(before: Outlined, after: Outlined, tolerance_percent: float) -> Comparison:
    planes = [one.analysis.view.label if one.analysis.view else None for one in (before, after)]
    if planes[0] != planes[1]:
        raise NotComparable(f"The slices are of different planes, {planes[0]} and {planes[1]}: send two of the same.")

    def changed(unit: Unit, name: str) -> Change:
        pair = (getattr(before.segmentation, name), getattr(after.segmentation, name))
        if None in pair:
            raise NotComparable("A slice has no spacing, so no millimeters: send DICOM, or volumes.")
        return change_between(unit, pair, tolerance_percent=tolerance_percent)

    return Comparison(
        kind="slice",
        baseline=_compared(before),
        followup=_compared(after),
        area=changed("mm2", "area_mm2"),
        longest_diameter=changed("mm", "longest_diameter_mm"),
        perpendicular_diameter=changed("mm", "perpendicular_diameter_mm"),
        tolerance_percent=tolerance_percent,
        method=METHOD,
        warnings=find_warnings(before, after),
        statement=STATEMENT,
    )


def _compared(one: Outlined) -> ComparedAnalysis:
    analysis, volume = one.analysis, one.segmentation.volume
    return ComparedAnalysis(
        id=analysis.id,
        created_at=analysis.created_at,
        verdict=analysis.verdict,
        sequences=one.input.sequences,
        models=tuple(f"{model.stage} {model.name} {model.version}" for model in analysis.models),
        side=None if volume is None else volume.side,
        view=None if analysis.view is None else analysis.view.label,
    )


def _measurable(summary: VolumeSummary) -> int:
    return sum(lesion.measurable for lesion in summary.lesions)


def _diameters(summaries: tuple[VolumeSummary, VolumeSummary], tolerance_percent: float) -> tuple[Change, Change]:
    """Of the largest lesion; 0 where there is none."""

    def changed(name: Literal["longest_diameter_mm", "perpendicular_diameter_mm"]) -> Change:
        first, second = ((getattr(one.lesions[0], name) if one.lesions else 0.0) for one in summaries)
        low, high = (getattr(one, f"{name}_interval") for one in summaries)
        return change_between("mm", (first, second), (low, high), tolerance_percent=tolerance_percent)

    return changed("longest_diameter_mm"), changed("perpendicular_diameter_mm")


def _sum_of_products(summary: VolumeSummary, targets: int) -> tuple[float, Interval | None]:
    """mm2 of the measurable lesions, and of the next largest until there are `targets`, with the interval.

    A lesion that shrinks below 10 mm is still followed; were it left out, its last step would look like a cure. The
    largest lesion's diameters have intervals; their half widths are those of every border, so they hold for the others.
    """
    ranked = sorted(summary.lesions, key=lambda lesion: (not lesion.measurable, -lesion.volume_ml))[:targets]
    total = sum(lesion.product_mm2 for lesion in ranked)
    longest, across = summary.longest_diameter_mm_interval, summary.perpendicular_diameter_mm_interval
    if not ranked:
        empty = summary.volume_ml_interval if summary.voxels == 0 else None
        return total, None if empty is None else Interval(low=0.0, high=0.0, coverage=empty.coverage)
    if longest is None or across is None:
        return total, None
    largest = summary.lesions[0]
    coverage = joined_coverage(*(interval.coverage for interval in (longest, across) for _ in ranked))
    low = _product_sum(
        ranked, longest.low - largest.longest_diameter_mm, across.low - largest.perpendicular_diameter_mm
    )
    high = _product_sum(
        ranked, longest.high - largest.longest_diameter_mm, across.high - largest.perpendicular_diameter_mm
    )
    return total, Interval(low=low, high=high, coverage=coverage)


def _product_sum(lesions: Items[LesionSummary], longest_shift_mm: float, across_shift_mm: float) -> float:
    return sum(
        max(0.0, lesion.longest_diameter_mm + longest_shift_mm)
        * max(0.0, lesion.perpendicular_diameter_mm + across_shift_mm)
        for lesion in lesions
    )
