"""The change of one measure between two times, with its interval and with what RANO would call it alone.

Intervals are combined without assuming that the two errors are independent, since one model that errs on a patient once
may err alike again: the change lies between (follow-up's low minus baseline's high) and (follow-up's high minus
baseline's low), with at least the probability that is left when both chances of missing are taken off (Bonferroni).
"""

import math
from dataclasses import dataclass
from typing import Final

from gateway.comparison_schemas import Category, Change, ResponseCategory, Unit
from gateway.volume_schemas import Interval

METHOD: Final = (
    "Interval arithmetic: a change lies between the follow-up's low end minus the baseline's high end and the "
    "follow-up's high end minus the baseline's low end; percentages likewise, by division. `coverage` is the least "
    "that can be said without assuming that errors are independent: 1 minus the sum of the chances that an interval "
    "misses."
)
_PERCENT: Final = 100.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which change of a measure on, in percent, RANO speaks of progression and of partial response."""

    measure: str
    increase_percent: float
    decrease_percent: float
    source: str


PRODUCT: Final = Thresholds(
    "sum of products", 25.0, -50.0, "RANO, Wen et al. 2010 (J Clin Oncol 28:1963); kept in RANO 2.0"
)
VOLUME: Final = Thresholds("volume", 40.0, -65.0, "RANO 2.0, Wen et al. 2023 (J Clin Oncol 41:5187)")


def joined_coverage(*coverages: float) -> float:
    """The least probability that all intervals of these coverages hold at once."""
    return round(max(0.0, 1.0 - sum(1.0 - coverage for coverage in coverages)), 6)


def change_between(
    unit: Unit,
    values: tuple[float, float],
    intervals: tuple[Interval | None, Interval | None] = (None, None),
    *,
    tolerance_percent: float = 0.0,
) -> Change:
    """The change from the first of `values` to the second, which are in `unit`."""
    before, after = values
    first, second = intervals
    percent = _PERCENT * (after / before - 1.0) if before > 0 else None
    if first is None or second is None:
        return Change(
            unit=unit,
            baseline=before,
            followup=after,
            baseline_interval=first,
            followup_interval=second,
            change=after - before,
            change_percent=percent,
        )
    coverage = joined_coverage(first.coverage, second.coverage)
    change = Interval(low=second.low - first.high, high=second.high - first.low, coverage=coverage)
    low, high = _percent_bounds(first, second)
    margin = before * tolerance_percent / _PERCENT
    bounded = percent is not None and math.isfinite(low) and math.isfinite(high)
    return Change(
        unit=unit,
        baseline=before,
        followup=after,
        baseline_interval=first,
        followup_interval=second,
        change=after - before,
        change_interval=change,
        change_percent=percent,
        change_percent_interval=Interval(low=low, high=high, coverage=coverage) if bounded else None,
        exceeds_measuring_error=change.low > margin or change.high < -margin,
    )


def categorize(change: Change, thresholds: Thresholds, *, nothing_left: bool) -> Category:
    """What RANO would call `change` if it were all that is known; `nothing_left`: the follow-up outlines nothing."""
    category, point, reason = _categorize(change, thresholds, nothing_left=nothing_left)
    return Category(
        category=category,
        point_category=point,
        increase_threshold_percent=thresholds.increase_percent,
        decrease_threshold_percent=thresholds.decrease_percent,
        reason=reason,
        source=thresholds.source,
    )


def _categorize(
    change: Change, thresholds: Thresholds, *, nothing_left: bool
) -> tuple[ResponseCategory, ResponseCategory, str]:
    name = thresholds.measure
    if change.change_percent is None:
        return _from_nothing(change, thresholds)
    first, second = change.baseline_interval, change.followup_interval
    point = _named(change.change_percent, thresholds, nothing_left=nothing_left)
    if first is None or second is None:
        return "cannot_be_told", point, f"The error of the {name} is unknown: no interval was fitted for a model."
    low, high = _percent_bounds(first, second)
    ends = {_named(end, thresholds, nothing_left=nothing_left and second.high <= 0) for end in (low, high)}
    span = f"from {low:+.0f} % to {f'{high:+.0f} %' if math.isfinite(high) else 'any increase'}"
    if len(ends) > 1:
        between = " and ".join(sorted(ends))
        return "cannot_be_told", point, f"The change of the {name} lies {span}, across the limits of {between}."
    return ends.pop(), point, f"All of the interval of the change of the {name}, {span}, lies within this category."


def _from_nothing(change: Change, thresholds: Thresholds) -> tuple[ResponseCategory, ResponseCategory, str]:
    """Without a baseline there is no percentage."""
    if change.followup == 0:
        return "cannot_be_told", "cannot_be_told", f"The {thresholds.measure} is 0 at both times."
    if thresholds is PRODUCT:
        return "cannot_be_told", "cannot_be_told", "The baseline has no lesion to compare the follow-up's with."
    if change.followup_interval is not None and change.followup_interval.low > 0:
        return "progressive_disease", "progressive_disease", "The baseline outlines nothing, the follow-up does."
    why = "The baseline outlines nothing; that there is something now is within the error, or the error is unknown."
    return "cannot_be_told", "progressive_disease", why


def _named(percent: float, thresholds: Thresholds, *, nothing_left: bool) -> ResponseCategory:
    if nothing_left:
        return "complete_response"
    if percent >= thresholds.increase_percent:
        return "progressive_disease"
    return "partial_response" if percent <= thresholds.decrease_percent else "stable_disease"


def _percent_bounds(first: Interval, second: Interval) -> tuple[float, float]:
    """The least and the largest change in percent; infinite where the baseline may have been nothing."""
    low = _PERCENT * (second.low / first.high - 1.0) if first.high > 0 else math.inf
    high = _PERCENT * (second.high / first.low - 1.0) if first.low > 0 else math.inf
    return low, high
