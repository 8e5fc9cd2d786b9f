"""Honest probabilities: one temperature, and class-conditional conformal thresholds, from calibration patients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model_export.evaluation.metrics import Labels, softmax
from model_export.evaluation.store import ClassifierPredictions
from service_kit.inference.manifest import Calibration

COVERAGE = 0.95


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


def conformal_threshold(
    true_probabilities: NDArray[np.float64], coverage: float, weights: NDArray[np.float64] | None = None
) -> float:
    """The largest threshold that keeps the true label of a new slice with at least the nominal coverage.

    The finite-sample quantile: a new slice of weight 1 is counted as if it lay below all others, so that without
    weights it is the k-th smallest of n probabilities with k = floor((n + 1) (1 - coverage)), and 0 (always keep the
    label) where there are too few slices to promise it. Nothing is drawn at random, here or when serving; ties cover
    more. The threshold may lie above .5: then a slice on which the model is less sure than on 19 of 20 of that class
    gets no label, and the answer goes to review. A cap would cover more than was promised.

    Args:
        true_probabilities: of the true label, `[N]`.
        coverage: the nominal one.
        weights: of each slice `[N]`; None counts each once.
    """
    allowed = (1 - coverage) * (_total(true_probabilities, weights) + 1) - 1
    order = np.argsort(true_probabilities, kind="stable")
    heavy = np.ones(len(order)) if weights is None else weights[order]
    below = np.concatenate([[0.0], np.cumsum(heavy)[:-1]])
    fitting = np.flatnonzero(below <= allowed + 1e-9)
    return float(true_probabilities[order[fitting[-1]]]) if len(fitting) else 0.0


def _total(values: NDArray[np.float64], weights: NDArray[np.float64] | None) -> float:
    return float(len(values)) if weights is None else float(weights.sum())


def patient_weights(groups: Sequence[str] | NDArray[np.str_]) -> NDArray[np.float64]:
    """Weights `[N]` by which every group counts 1, however many slices it has."""
    _, member, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    return np.asarray(1.0 / sizes[member], np.float64)


def calibrate(
    logits: NDArray[np.floating],
    truth: Labels,
    labels: Sequence[str],
    coverage: float = COVERAGE,
    groups: NDArray[np.str_] | None = None,
) -> Calibration:
    """Temperature and thresholds from `logits [N, classes]` of calibration patients.

    With `groups` the thresholds count each patient once (coverage of a slice of a new patient), without them each
    slice once (coverage of slices as they come, patients with many of them counting more).
    """
    temperature = fit_temperature(logits, truth)
    probabilities = softmax(logits, temperature)
    thresholds = {}
    for index, label in enumerate(labels):
        of_class = truth == index
        weights = None if groups is None else patient_weights(groups[of_class])
        thresholds[label] = conformal_threshold(probabilities[of_class, index], coverage, weights)
    return Calibration(temperature=temperature, coverage=coverage, thresholds=thresholds)


def prediction_sets(probabilities: NDArray[np.float64], calibration: Calibration) -> NDArray[np.bool_]:
    """Which labels `[N, classes]` belong to each slice's set (the thresholds' order is the labels' order)."""
    return np.asarray(probabilities >= np.array(list(calibration.thresholds.values())), np.bool_)


def fit_calibration(predictions: ClassifierPredictions, coverage: float = COVERAGE) -> Calibration:
    """What is published: fitted on the out-of-fold answers of all patients of `t1_slices`.

    Every answer is that of a network that never saw the patient; the published network is trained by the same recipe
    on all of them. Raises `ValueError` where there is no slice of `t1_slices`.
    """
    main = predictions.main
    if not main.any():
        raise ValueError(f"{predictions.name}: no slice of t1_slices to calibrate on")
    return calibrate(predictions.logits[main], predictions.truth[main], predictions.labels, coverage)
