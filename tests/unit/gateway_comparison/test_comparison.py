"""What changed between two analyses, and what may be said of it."""

import pytest

from gateway.comparison import compare
from gateway.comparison_schemas import Comparison
from gateway.errors import AnalysisNotFinished, NotComparable
from gateway.schemas import Analysis
from gateway.volume_schemas import Interval
from tests.unit.gateway.fakes import model_ref
from tests.unit.gateway_comparison.analyses import EMPTY, analysis, lesion, outline, slice_analysis, summary


def compared(first: object, second: object, tolerance_percent: float = 0.0) -> Comparison:
    return compare(
        analysis(first),  # type: ignore[arg-type]
        analysis(second, days=60),  # type: ignore[arg-type]
        tolerance_percent=tolerance_percent,
    )


def codes(comparison: Comparison) -> set[str]:
    return {warning.code for warning in comparison.warnings}


def test_change_is_followup_minus_baseline_with_the_ends_crossed() -> None:
    comparison = compared(summary(20.0, lesion(30, 20)), summary(26.0, lesion(33, 22), error_ml=2.0))
    volume = comparison.volume
    assert volume is not None
    assert volume.change == pytest.approx(6.0)
    assert volume.change_percent == pytest.approx(30.0)
    # (26 - 2) - (20 + 1) and (26 + 2) - (20 - 1); each holds with .9, both with at least .8.
    assert volume.change_interval == Interval(low=3.0, high=9.0, coverage=0.8)
    assert volume.change_percent_interval is not None
    assert volume.change_percent_interval.low == pytest.approx(100 * (24 / 21 - 1))
    assert volume.change_percent_interval.high == pytest.approx(100 * (28 / 19 - 1))
    assert volume.exceeds_measuring_error is True


def test_products_are_of_both_diameters_at_their_ends() -> None:
    comparison = compared(summary(20.0, lesion(30, 20)), summary(26.0, lesion(33, 22)))
    products = comparison.sum_of_products
    assert products is not None
    assert (products.baseline, products.followup) == (600, 726)
    assert products.baseline_interval is not None
    assert products.baseline_interval.low == pytest.approx(29.5 * 19.5)
    assert products.baseline_interval.high == pytest.approx(30.5 * 20.5)
    assert products.baseline_interval.coverage == pytest.approx(0.8)
    assert products.change_interval is not None
    assert products.change_interval.coverage == pytest.approx(0.6)
    assert comparison.longest_diameter.change == 3
    assert comparison.perpendicular_diameter.change == 2


@pytest.mark.parametrize(
    ("longest_mm", "across_mm", "error_mm", "category", "point"),
    [
        (30, 20, 0.2, "stable_disease", "stable_disease"),
        (40, 30, 0.2, "progressive_disease", "progressive_disease"),
        (20, 14, 0.2, "partial_response", "partial_response"),
        (33.5, 22.5, 0.5, "cannot_be_told", "progressive_disease"),
        (33.5, 22.3, 0.5, "cannot_be_told", "stable_disease"),
        (21.3, 14.0, 0.5, "cannot_be_told", "partial_response"),
        (40, 30, None, "cannot_be_told", "progressive_disease"),
    ],
)
def test_category_of_the_product(
    longest_mm: float, across_mm: float, error_mm: float | None, category: str, point: str
) -> None:
    comparison = compared(
        summary(20.0, lesion(30, 20), error_mm=error_mm),
        summary(20.0, lesion(longest_mm, across_mm), error_mm=error_mm),
    )
    assert comparison.category is not None
    assert (comparison.category.category, comparison.category.point_category) == (category, point)
    assert (comparison.category.increase_threshold_percent, comparison.category.decrease_threshold_percent) == (25, -50)
    assert ("no_interval" in codes(comparison)) is (error_mm is None)


@pytest.mark.parametrize(
    ("followup_ml", "error_ml", "category", "point"),
    [
        (27.9, 0.01, "stable_disease", "stable_disease"),
        (28.1, 0.01, "progressive_disease", "progressive_disease"),
        (28.1, 1.0, "cannot_be_told", "progressive_disease"),
        (6.9, 0.01, "partial_response", "partial_response"),
        (7.1, 0.01, "stable_disease", "stable_disease"),
        (7.1, 0.5, "cannot_be_told", "stable_disease"),
    ],
)
def test_category_of_the_volume_has_its_own_thresholds(
    followup_ml: float, error_ml: float, category: str, point: str
) -> None:
    comparison = compared(
        summary(20.0, lesion(30, 20), error_ml=error_ml), summary(followup_ml, lesion(30, 20), error_ml=error_ml)
    )
    found = comparison.volume_category
    assert found is not None
    assert (found.category, found.point_category) == (category, point)
    assert (found.increase_threshold_percent, found.decrease_threshold_percent) == (40, -65)


def test_a_change_within_the_error_is_none() -> None:
    volume = compared(summary(20.0, lesion(30, 20)), summary(21.5, lesion(30, 20))).volume
    assert volume is not None
    assert volume.exceeds_measuring_error is False


def test_a_tolerance_widens_what_counts_as_none() -> None:
    pair = summary(20.0, lesion(30, 20)), summary(24.0, lesion(30, 20))
    exact, tolerant = compared(*pair).volume, compared(*pair, tolerance_percent=15).volume
    assert exact is not None
    assert tolerant is not None
    assert (exact.exceeds_measuring_error, tolerant.exceeds_measuring_error) == (True, False)
    assert exact.change_interval == tolerant.change_interval


def test_nothing_left_is_a_complete_response_of_the_measure_alone() -> None:
    comparison = compared(summary(20.0, lesion(30, 20)), EMPTY)
    assert comparison.category is not None
    assert comparison.volume_category is not None
    assert comparison.category.category == comparison.volume_category.category == "complete_response"
    assert comparison.lesions is not None
    assert (comparison.lesions.vanished_at_least, comparison.lesions.new_at_least) == (1, 0)
    assert "empty_outline" in codes(comparison)


def test_a_tumor_where_nothing_was_is_progression_of_the_volume_and_no_percentage() -> None:
    comparison = compared(EMPTY, summary(20.0, lesion(30, 20)))
    assert comparison.volume is not None
    assert comparison.volume.change_percent is None
    assert comparison.volume.change_percent_interval is None
    assert comparison.volume_category is not None
    assert comparison.volume_category.category == "progressive_disease"
    assert comparison.lesions is not None
    assert comparison.lesions.new_at_least == 1


def test_nothing_at_both_times_has_no_category() -> None:
    comparison = compared(EMPTY, EMPTY.model_copy())
    assert comparison.category is not None
    assert comparison.volume_category is not None
    assert comparison.category.category == comparison.volume_category.category == "cannot_be_told"


def test_a_lesion_that_shrinks_below_ten_millimeters_is_still_followed() -> None:
    comparison = compared(summary(5.0, lesion(14, 11)), summary(3.0, lesion(12, 9.5)))
    products = comparison.sum_of_products
    assert products is not None
    assert products.followup == pytest.approx(114)
    assert comparison.category is not None
    assert comparison.category.point_category == "stable_disease"
    assert "near_measurable" in codes(comparison)


def test_baseline_that_may_be_nothing_has_an_open_percentage() -> None:
    comparison = compared(summary(1.0, lesion(9, 8), error_ml=1.0), summary(30.0, lesion(40, 30)))
    assert comparison.volume is not None
    assert comparison.volume.change_percent_interval is None
    assert comparison.volume_category is not None
    assert comparison.volume_category.category == "progressive_disease"
    assert "any increase" in comparison.volume_category.reason


def test_each_label_is_compared_and_labels_that_only_one_has_are_said() -> None:
    first = summary(20.0, lesion(30, 20), labels={"edema": 15.0, "enhancing_tumor": 5.0})
    second = summary(20.0, lesion(30, 20), labels={"edema": 10.0, "enhancing_tumor": 10.0})
    comparison = compared(first, second)
    assert {name: change.change for name, change in comparison.labels.items()} == {"edema": -5, "enhancing_tumor": 5}
    assert "whole_outline" in codes(comparison)
    other = compared(first, summary(20.0, lesion(30, 20)))
    assert other.labels == {}
    assert "different_labels" in codes(other)


def test_alike_analyses_warn_of_what_nobody_can_know_alone() -> None:
    comparison = compared(summary(20.0, lesion(30, 20)), summary(20.0, lesion(30, 20)))
    assert codes(comparison) == {"order_unknown", "patient_unknown"}


def test_what_differs_is_said() -> None:
    first = analysis(summary(20.0, lesion(30, 20)), days=3, verdict="review")
    second = analysis(
        summary(20.0, lesion(30, 20), side="right"), models=(model_ref("segmentation", "seg-flair-film"),)
    )
    assert second.input is not None
    assert second.input.geometry is not None
    geometry = second.input.geometry.model_copy(update={"spacing_mm": (1, 1, 5)})
    scan = second.input.model_copy(update={"sequences": ("flair",), "geometry": geometry})
    found = codes(compare(first, second.model_copy(update={"input": scan})))
    assert found >= {
        "order_reversed", "different_sequences", "different_models", "different_spacing", "different_sides",
        "not_an_answer",
    }  # fmt: skip


def test_another_order_of_axes_is_no_other_spacing_and_one_file_is_said() -> None:
    first = analysis(summary(20.0, lesion(30, 20)))
    assert first.input is not None
    assert first.input.geometry is not None
    scans = [
        first.input.model_copy(update={"geometry": first.input.geometry.model_copy(update={"spacing_mm": spacing})})
        for spacing in ((1, 1, 5), (5, 1, 1))
    ]
    second = analysis(summary(20.0, lesion(30, 20)))
    pair = [one.model_copy(update={"input": scan}) for one, scan in zip((first, second), scans, strict=True)]
    found = codes(compare(*pair))
    assert "same_file" in found
    assert "different_spacing" not in found


def test_slices_have_areas_and_diameters_and_no_category() -> None:
    comparison = compare(slice_analysis(100.0), slice_analysis(150.0, days=3))
    assert comparison.area is not None
    assert comparison.area.change_percent == pytest.approx(50)
    assert comparison.area.exceeds_measuring_error is None
    absent = (comparison.category, comparison.volume_category, comparison.volume, comparison.lesions)
    assert absent == (None, None, None, None)
    assert "no_interval" in codes(comparison)


def test_it_says_that_it_is_no_diagnosis_and_what_rano_needs_besides() -> None:
    comparison = compared(summary(20.0, lesion(30, 20)), summary(20.0, lesion(30, 20)))
    for words in ("not a diagnosis", "clinical status", "corticosteroids", "new lesions"):
        assert words in comparison.statement
    assert "Not a medical device" in comparison.disclaimer


@pytest.mark.parametrize("state", ["queued", "running"])
def test_unfinished_analyses_are_refused(state: str) -> None:
    waiting = analysis(None, state=state)
    with pytest.raises(AnalysisNotFinished, match=f"followup: the analysis is {state}"):
        compare(analysis(summary(20.0)), waiting)


VOLUME = analysis(summary(20.0, lesion(30, 20)))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (VOLUME, "the same analysis"),
        (analysis(None), "baseline: nothing was outlined"),
        (analysis(None, state="failed"), "baseline: the analysis is failed"),
        (slice_analysis(100.0), "One is a slice and one is a volume"),
    ],
)
def test_what_cannot_be_compared_with_a_volume_is_refused(other: Analysis, words: str) -> None:
    with pytest.raises(NotComparable, match=words):
        compare(other, VOLUME)


def test_slices_of_two_planes_or_without_spacing_are_refused() -> None:
    with pytest.raises(NotComparable, match="axial and coronal"):
        compare(slice_analysis(100.0), slice_analysis(100.0, plane="coronal"))
    with pytest.raises(NotComparable, match="no spacing"):
        compare(slice_analysis(100.0), slice_analysis(None))


def test_an_outline_with_the_record_is_not_quite_one_without() -> None:
    with_record = slice_analysis(100.0)
    without = slice_analysis(100.0, days=2)
    assert with_record.segmentation is not None
    used = outline(**(with_record.segmentation.model_dump() | {"clinical_used": True}))
    assert "different_record" in codes(compare(with_record.model_copy(update={"segmentation": used}), without))
