"""Honest probabilities: one temperature, and class-conditional conformal thresholds, from calibration patients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model_export.evaluation.metrics import Labels, softmax
from service_kit.inference.manifest import Calibration


def fit_temperature(logits: NDArray[np.floating], truth: Labels) -> float:
    """The temperature (0.2 to 5) that minimizes the log loss, by golden-section search on its logarithm."""

    def loss(exponent: float) -> float:
        chosen = softmax(logits, float(np.exp(exponent)))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    low, high, ratio = np.log(0.2), np.log(5.0), (np.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def conformal_threshold(true_probabilities: NDArray[np.float64], coverage: float) -> float:
    """The largest threshold that keeps the true label of a new slice with at least the nominal coverage.

    The finite-sample quantile: the k-th smallest of n probabilities with k = floor((n + 1) (1 - coverage)); 0 (always
    keep the label) where there are too few slices to promise it. It is at most .5: a lower threshold covers more, and
    a label that is likelier than all others together should not be left out by a model that is better than promised.
    """
    rank = int(np.floor((len(true_probabilities) + 1) * (1 - coverage) + 1e-9))
    return min(0.5, float(np.sort(true_probabilities)[rank - 1])) if rank >= 1 else 0.0


def calibrate(
    logits: NDArray[np.floating], truth: Labels, labels: Sequence[str], coverage: float = 0.95
) -> Calibration:
    """Temperature and thresholds from `logits [N, classes]` of calibration patients."""
    temperature = fit_temperature(logits, truth)
    probabilities = softmax(logits, temperature)
    thresholds = {
        label: conformal_threshold(probabilities[truth == index, index], coverage) for index, label in enumerate(labels)
    }
    return Calibration(temperature=temperature, coverage=coverage, thresholds=thresholds)


def prediction_sets(probabilities: NDArray[np.float64], calibration: Calibration) -> NDArray[np.bool_]:
    """Which labels `[N, classes]` belong to each slice's set (the thresholds' order is the labels' order)."""
    return np.asarray(probabilities >= np.array(list(calibration.thresholds.values())), np.bool_)
