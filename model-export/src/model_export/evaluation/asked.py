"""Whether the tumor model lets a slice be outlined: the gateway's rule on out-of-fold answers."""

import numpy as np

from model_export.evaluation.calibration import calibrate, prediction_sets
from model_export.evaluation.metrics import softmax
from model_export.evaluation.store import ClassifierPredictions

_LIKELY = 0.5


def asked_first(tumor: ClassifierPredictions) -> dict[str, bool]:
    """By key of a slice of `t1_slices`: a tumor is likelier than not, or the prediction set names one.

    Temperature and thresholds that judge a fold are fitted on the others (on all, where one fold alone is at hand).
    """
    main = np.flatnonzero(tumor.main)
    none = tumor.labels.index("no_tumor")
    allowed: dict[str, bool] = {}
    folds = tumor.folds[main]
    for fold in np.unique(folds):
        judged, fitting = main[folds == fold], main[folds != fold]
        fitting = fitting if len(fitting) else judged
        calibration = calibrate(tumor.logits[fitting], tumor.truth[fitting], tumor.labels)
        probabilities = softmax(tumor.logits[judged], calibration.temperature)
        sets = prediction_sets(probabilities, calibration)
        likely = (1.0 - probabilities[:, none] >= _LIKELY) | np.delete(sets, none, axis=1).any(axis=1)
        allowed.update(zip(tumor.keys[judged].tolist(), likely.tolist(), strict=True))
    return allowed
