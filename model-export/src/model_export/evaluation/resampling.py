"""Bootstrap by weights: how often each slice counts when whole groups are drawn again, and figures under such weights.

A figure is computed for all resamples at once, so that areas under curves get intervals in seconds. Every function
takes weights `[B, N]` and returns `[B]`; with weights of one it gives what scikit-learn gives.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_export.evaluation.bootstrap import Estimate

Weights = NDArray[np.float32]
Figures = NDArray[np.float64]
Weighted = Callable[[NDArray[np.int64], Weights], Figures]
"""A figure of the slices at positions `[M]` under their weights `[B, M]`."""
RESAMPLES, LEVEL = 1000, 0.95


def group_weights(groups: NDArray[np.str_], folds: NDArray[np.int64], *, seed: int = 0) -> Weights:
    """How often each slice is drawn, `[1 + RESAMPLES, N]`: row 0 counts each once, the others draw whole groups.

    Groups are drawn within their fold, so that every resample has all folds.
    """
    if len(groups) == 0:
        raise ValueError("no slices to judge")
    random = np.random.default_rng(seed)
    weights = np.ones((1 + RESAMPLES, len(groups)), np.float32)
    for fold in np.unique(folds):
        at = np.flatnonzero(folds == fold)
        names, member = np.unique(groups[at], return_inverse=True)
        count = len(names)
        drawn = random.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(np.float32)
        weights[1:, at] = drawn[:, member]
    return weights


def estimate(figure: Weighted, at: NDArray[np.int64], weights: Weights, groups: NDArray[np.str_]) -> Estimate:
    """The figure of the slices at `at`, with its interval over the resamples in which it is defined."""
    return as_estimate(figure(at, weights[:, at]), len(at), len(np.unique(groups[at])))


def mean_over_folds(
    figure: Weighted, at: NDArray[np.int64], folds: NDArray[np.int64], weights: Weights, groups: NDArray[np.str_]
) -> tuple[Estimate, dict[str, float]]:
    """The mean of the folds' figures with its interval, and the figure of each fold."""
    names = np.unique(folds[at])
    values = np.stack([figure(part := at[folds[at] == fold], weights[:, part]) for fold in names])
    by_fold = {str(fold): float(row[0]) for fold, row in zip(names, values, strict=True)}
    return as_estimate(values.mean(axis=0), len(at), len(np.unique(groups[at]))), by_fold


def as_estimate(values: Figures, slices: int, groups: int) -> Estimate:
    """Row 0 is the figure, the others are its resamples (NaN where one class was not drawn)."""
    drawn = values[1:][np.isfinite(values[1:])]
    if not len(drawn):
        raise ValueError("the figure is not defined: a class is absent")
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value=float(values[0]), low=float(low), high=float(high), slices=slices, groups=groups)


def mean(values: NDArray[Any], weights: Weights) -> Figures:
    """The weighted mean of `values [N]`."""
    with np.errstate(invalid="ignore"):
        return np.asarray(weights @ values.astype(np.float64) / weights.sum(axis=1, dtype=np.float64), np.float64)


def confusions(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int, weights: Weights) -> Figures:
    """Confusion matrices `[B, classes, classes]`: rows are the truth."""
    cells = np.eye(classes * classes, dtype=np.float32)[truth * classes + predicted]
    return np.asarray(weights @ cells, np.float64).reshape(-1, classes, classes)


def recall_precision_f1(matrices: Figures) -> tuple[Figures, Figures, Figures]:
    """Each `[B, classes]`; NaN where a class does not occur."""
    hits = np.diagonal(matrices, axis1=1, axis2=2)
    true, called = matrices.sum(axis=2), matrices.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, f1 = hits / true, np.where(true > 0, 2 * hits / (true + called), np.nan)
        precision = np.where(true > 0, np.where(called > 0, hits / np.maximum(called, 1e-9), 0.0), np.nan)
    return recall, precision, f1


def roc_auc(scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: Weights) -> Figures:
    """Area under the ROC curve, ties counted half; NaN where one class has no weight."""
    hits, alarms = _at_thresholds(scores, positive, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = np.diff(alarms, axis=1, prepend=0.0)
        heights = hits - np.diff(hits, axis=1, prepend=0.0) / 2
        return np.asarray((steps * heights).sum(axis=1) / (hits[:, -1] * alarms[:, -1]), np.float64)


def average_precision(scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: Weights) -> Figures:
    """Mean precision over the recall gained at each threshold; NaN where no positive has weight."""
    hits, alarms = _at_thresholds(scores, positive, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(hits + alarms > 0, hits / np.maximum(hits + alarms, 1e-9), 0.0)
        gained = np.diff(hits, axis=1, prepend=0.0)
        return np.asarray((precision * gained).sum(axis=1) / hits[:, -1], np.float64)


def _at_thresholds(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: Weights
) -> tuple[Figures, Figures]:
    """Weight of positives and of negatives at or above each distinct score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    sorted_weights, sign = weights[:, order].astype(np.float64), positive[order]
    hits = np.cumsum(np.where(sign, sorted_weights, 0.0), axis=1)[:, ends]
    alarms = np.cumsum(np.where(sign, 0.0, sorted_weights), axis=1)[:, ends]
    return hits, alarms


def calibration_error(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: NDArray[np.int64], weights: Weights
) -> Figures:
    """Expected calibration error: the bins' gaps between confidence and accuracy, by their share."""
    one_hot = np.eye(int(bins.max()) + 1, dtype=np.float64)[bins]
    gaps = weights @ (one_hot * (confidence - right)[:, None])
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(gaps).sum(axis=1) / weights.sum(axis=1, dtype=np.float64), np.float64)
