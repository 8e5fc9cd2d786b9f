"""Calibration judged on patients that it was not fitted on: each fold by what the other folds' patients say."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.split import DEFAULT_SEED, FOLDS, Fold, split_groups
from model_export.evaluation.calibration import COVERAGE, calibrate, prediction_sets
from model_export.evaluation.metrics import softmax
from model_export.evaluation.store import ClassifierPredictions
from service_kit.inference.manifest import Calibration


@dataclass(frozen=True)
class CrossFitted:
    """Probabilities `[N, C]` and sets `[N, C]` of every slice, by a calibration that never saw its patient.

    `calibrations` are by part: the folds, or the parts into which a single fold's patients were dealt.
    """

    probabilities: NDArray[np.float64]
    sets: NDArray[np.bool_]
    calibrations: dict[str, Calibration]


def cross_fit(
    predictions: ClassifierPredictions, coverage: float = COVERAGE, *, count_patients: bool = False
) -> CrossFitted:
    """Fit on the slices of `t1_slices` of all parts but one, apply to every slice of that one, in turn.

    The parts are the folds; where one fold alone is at hand, its groups are dealt into five parts.

    Args:
        predictions: out of fold.
        coverage: the sets' nominal coverage.
        count_patients: thresholds count each patient once, not each slice.
    """
    parts = calibration_parts(predictions)
    probabilities = np.zeros(predictions.logits.shape, np.float64)
    sets = np.zeros(predictions.logits.shape, np.bool_)
    calibrations = {}
    for part in np.unique(parts):
        fitting = predictions.main & (parts != part)
        groups = predictions.groups[fitting] if count_patients else None
        fitted = calibrate(
            predictions.logits[fitting], predictions.truth[fitting], predictions.labels, coverage, groups
        )
        judged = parts == part
        probabilities[judged] = softmax(predictions.logits[judged], fitted.temperature)
        sets[judged] = prediction_sets(probabilities[judged], fitted)
        calibrations[str(part)] = fitted
    return CrossFitted(probabilities, sets, calibrations)


def calibration_parts(predictions: ClassifierPredictions) -> NDArray[np.int64]:
    """The part `[N]` of each slice: its fold, or one of five into which a single fold's groups are dealt."""
    if len(np.unique(predictions.folds)) > 1:
        return predictions.folds
    groups = [str(group) for group in predictions.groups]
    strata = [str(label) for label in predictions.truth]
    parts = np.zeros(len(groups), np.int64)
    for index in range(FOLDS):
        test = split_groups(groups, strata, Fold(index, DEFAULT_SEED)).test
        parts[[group in test for group in groups]] = index
    return parts
