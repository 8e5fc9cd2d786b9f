"""How honest a classifier's probabilities and prediction sets are, on patients that calibration never saw."""

import numpy as np
from numpy.typing import NDArray

from model_export.evaluation import resampling
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.calibration import fit_calibration
from model_export.evaluation.classification import CalibrationResult, Curve, ReliabilityBin, SetRow
from model_export.evaluation.cross_fitting import CrossFitted, calibration_parts, cross_fit
from model_export.evaluation.metrics import softmax
from model_export.evaluation.resampling import Weights, group_weights
from model_export.evaluation.store import ClassifierPredictions

BINS = 15
_CURVE_POINTS = 120


def judge_calibration(predictions: ClassifierPredictions, fitted: CrossFitted) -> CalibrationResult:
    """Calibration error, coverage and abstaining on the slices of `t1_slices`, coverage on the other sets beside."""
    main = predictions.main
    truth, groups = predictions.truth[main], predictions.groups[main]
    weights = group_weights(groups, predictions.folds[main])
    sets, probabilities = fitted.sets[main], fitted.probabilities[main]
    covered, size = sets[np.arange(len(truth)), truth], sets.sum(axis=1)
    right, single = probabilities.argmax(axis=1) == truth, size == 1

    def rows(kinds: NDArray[np.str_]) -> tuple[SetRow, ...]:
        return tuple(_row(str(k), covered, size, weights, groups, kinds == k) for k in np.unique(kinds) if k)

    def share(of: NDArray[np.generic], at: NDArray[np.int64]) -> Estimate:
        return resampling.estimate(lambda p, w: resampling.mean(of[p], w), at, weights, groups)

    everything = np.arange(len(truth))
    errors, reliability = {}, {}
    raw = softmax(predictions.logits[main])
    for when, found in (("before", raw), ("after", probabilities)):
        top = found.max(axis=1)
        for how, bins in (("equal mass", equal_mass(top)), ("equal width", equal_width(top))):
            errors[f"{how}, {when}"] = _error(top, right, bins, weights, groups)
        reliability[when] = reliability_bins(top, right, equal_mass(top))
    risk, area = risk_coverage(probabilities.max(axis=1), right)
    names = np.array(predictions.labels)
    return CalibrationResult(
        published=fit_calibration(predictions),
        temperatures={part: found.temperature for part, found in fitted.calibrations.items()},
        errors=errors,
        reliability=reliability,
        overall=_row("all", covered, size, weights, groups, np.ones(len(truth), np.bool_)),
        classes=rows(names[truth]),
        views=rows(predictions.views[main]),
        sources=rows(predictions.sources[main]),
        folds=rows(np.array([f"part {part}" for part in calibration_parts(predictions)[main]])),
        other_sets=_other_sets(predictions, fitted),
        by_patient=_by_patient(predictions),
        mean_size=share(size, everything),
        answered=share(single, everything),
        answered_right=share(right, np.flatnonzero(single) if single.any() else everything),
        risk_coverage=risk,
        area_under_risk=area,
    )


def equal_width(confidence: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin `[N]` of each slice: 15 of equal width."""
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)


def equal_mass(confidence: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin `[N]` of each slice: 15 of equally many slices."""
    rank = np.empty(len(confidence), np.int64)
    rank[np.argsort(confidence, kind="stable")] = np.arange(len(confidence))
    return rank * BINS // len(confidence)


def reliability_bins(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: NDArray[np.int64]
) -> tuple[ReliabilityBin, ...]:
    """Mean confidence and accuracy of each bin that has slices."""
    return tuple(
        ReliabilityBin(
            confidence=float(confidence[bins == b].mean()),
            accuracy=float(right[bins == b].mean()),
            slices=int((bins == b).sum()),
        )
        for b in np.unique(bins)
    )


def risk_coverage(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[Curve, float]:
    """The error rate among the most confident answers, by the share that is answered; and the area under it."""
    wrong = ~right[np.argsort(-confidence, kind="stable")]
    answered = np.arange(1, len(wrong) + 1)
    risk = np.cumsum(wrong) / answered
    at = np.unique(np.linspace(len(wrong) // 20, len(wrong) - 1, _CURVE_POINTS).round().astype(int))
    share = answered / len(wrong)
    curve = Curve(
        label="error",
        x=tuple(round(float(v), 4) for v in share[at]),
        y=tuple(round(float(v), 5) for v in risk[at]),
    )
    return curve, float(risk.mean())


def _error(
    confidence: NDArray[np.float64],
    right: NDArray[np.bool_],
    bins: NDArray[np.int64],
    weights: Weights,
    groups: NDArray[np.str_],
) -> Estimate:
    return resampling.estimate(
        lambda at, w: resampling.calibration_error(confidence[at], right[at], bins[at], w),
        np.arange(len(right)),
        weights,
        groups,
    )


def _row(
    label: str,
    covered: NDArray[np.bool_],
    size: NDArray[np.int64],
    weights: Weights,
    groups: NDArray[np.str_],
    members: NDArray[np.bool_],
) -> SetRow:
    at = np.flatnonzero(members)
    return SetRow(
        label=label,
        coverage=resampling.estimate(lambda p, w: resampling.mean(covered[p], w), at, weights, groups),
        mean_size=float(size[at].mean()),
        single=float((size[at] == 1).mean()),
        empty=float((size[at] == 0).mean()),
    )


def _other_sets(predictions: ClassifierPredictions, fitted: CrossFitted) -> tuple[SetRow, ...]:
    others = np.flatnonzero(~predictions.main)
    if not len(others):
        return ()
    groups, sources = predictions.groups[others], predictions.sources[others]
    covered = fitted.sets[others, predictions.truth[others]]
    size = fitted.sets[others].sum(axis=1)
    weights = group_weights(groups, predictions.folds[others])
    return tuple(_row(str(s), covered, size, weights, groups, sources == s) for s in np.unique(sources))


def _by_patient(predictions: ClassifierPredictions) -> dict[str, float]:
    """Coverage of each class (slices as they come) when the thresholds count each patient once."""
    sets = cross_fit(predictions, count_patients=True).sets
    found = {}
    for index, label in enumerate(predictions.labels):
        of_class = predictions.main & (predictions.truth == index)
        if of_class.any():
            found[label] = float(sets[of_class, index].mean())
    return found
