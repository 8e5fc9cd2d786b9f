"""Figures of a classifier from its out-of-fold answers; scikit-learn's where it has them."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk  # type: ignore[import-untyped]

from model_export.evaluation import resampling
from model_export.evaluation.answers import Answers, Positions, answers_of, share_rows, thinned
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.calibrated import judge_calibration
from model_export.evaluation.classification import (
    BinaryResult,
    ClassifierResult,
    ClassRow,
    Curve,
    CvFigure,
    LeakyResult,
    ShareRow,
)
from model_export.evaluation.cross_fitting import cross_fit
from model_export.evaluation.metrics import softmax
from model_export.evaluation.resampling import Figures, Weights
from model_export.evaluation.store import ClassifierPredictions

NO_TUMOR = "no_tumor"


def judge_classifier(
    predictions: ClassifierPredictions, leaky: ClassifierPredictions | None = None
) -> ClassifierResult:
    """Everything that is said of a classifier.

    Args:
        predictions: out of fold, of one fold or several.
        leaky: the same recipe's answers under a split by slice.

    Raises:
        ValueError: there is no slice of `t1_slices`.
    """
    if not predictions.main.any():
        raise ValueError(f"{predictions.name}: no slice of t1_slices to judge")
    fitted = cross_fit(predictions)
    main = answers_of(predictions, fitted.probabilities, predictions.main)
    truth, predicted = main.truth, main.predicted
    of_main = [values[predictions.main] for values in (predictions.views, predictions.sources)]
    names = np.array(predictions.labels)[truth]
    return ClassifierResult(
        name=predictions.name,
        labels=predictions.labels,
        folds=tuple(int(fold) for fold in np.unique(main.folds)),
        slices=len(truth),
        groups=len(np.unique(main.groups)),
        accuracy=main.cross_validated(partial(_accuracy, main), float(sk.accuracy_score(truth, predicted))),
        balanced_accuracy=main.cross_validated(
            partial(_balanced, main), float(sk.balanced_accuracy_score(truth, predicted))
        ),
        macro_f1=main.cross_validated(partial(_macro_f1, main), _pooled_macro_f1(main)),
        roc_auc=main.cross_validated(partial(_macro_auc, main), _pooled_scores(main, sk.roc_auc_score)),
        average_precision=main.cross_validated(
            partial(_macro_precision, main), _pooled_scores(main, sk.average_precision_score)
        ),
        confusion=tuple(
            tuple(int(count) for count in row)
            for row in sk.confusion_matrix(truth, predicted, labels=range(len(main.labels)))
        ),
        classes=tuple(_class_row(main, index) for index in _present(main)),
        views=share_rows(main, main.right, of_main[0]),
        sources=share_rows(main, main.right, of_main[1]),
        class_sources=share_rows(main, main.right, np.char.add(np.char.add(names, ", "), of_main[1])),
        other_sets=_other_sets(predictions, fitted.probabilities),
        precision_recall=tuple(_precision_recall(main, index) for index in _present(main)),
        binary=_binary(main, of_main[1]) if NO_TUMOR in main.labels else None,
        calibration=judge_calibration(predictions, fitted),
        leaky=None if leaky is None else _leaky(leaky, predictions),
    )


def _present(answers: Answers) -> list[int]:
    return [index for index in range(len(answers.labels)) if (answers.truth == index).any()]


def _accuracy(answers: Answers, at: Positions, weights: Weights) -> Figures:
    return resampling.mean(answers.right[at], weights)


def _balanced(answers: Answers, at: Positions, weights: Weights) -> Figures:
    return _mean_known(resampling.recall_precision_f1(answers.confusions(at, weights))[0])


def _macro_f1(answers: Answers, at: Positions, weights: Weights) -> Figures:
    return _mean_known(resampling.recall_precision_f1(answers.confusions(at, weights))[2])


def _macro_auc(answers: Answers, at: Positions, weights: Weights) -> Figures:
    return _over_classes(resampling.roc_auc, answers, at, weights)


def _macro_precision(answers: Answers, at: Positions, weights: Weights) -> Figures:
    return _over_classes(resampling.average_precision, answers, at, weights)


def _over_classes(
    figure: Callable[[NDArray[np.float64], NDArray[np.bool_], Weights], Figures],
    answers: Answers,
    at: Positions,
    weights: Weights,
) -> Figures:
    scores, truth = answers.probabilities[at], answers.truth[at]
    return _mean_known(np.stack([figure(scores[:, c], truth == c, weights) for c in _present(answers)], axis=1))


def _mean_known(values: Figures) -> Figures:
    """The mean over classes that occur; NaN where none does."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1), np.float64)


def _pooled_macro_f1(answers: Answers) -> float:
    return float(
        sk.f1_score(answers.truth, answers.predicted, labels=_present(answers), average="macro", zero_division=0)
    )


def _pooled_scores(answers: Answers, score: Callable[..., float]) -> float:
    return float(np.mean([score(answers.truth == c, answers.probabilities[:, c]) for c in _present(answers)]))


def _class_row(answers: Answers, index: int) -> ClassRow:
    positive, scores = answers.truth == index, answers.probabilities[:, index]

    def of_matrix(which: int) -> resampling.Weighted:
        return lambda at, weights: resampling.recall_precision_f1(answers.confusions(at, weights))[which][:, index]

    called = answers.predicted == index
    recall, precision, f1 = (answers.estimate(of_matrix(which)) for which in range(3))
    return ClassRow(
        label=answers.labels[index],
        support=int(positive.sum()),
        groups=len(np.unique(answers.groups[positive])),
        recall=recall,
        precision=precision,
        f1=f1,
        specificity=answers.estimate(lambda at, w: resampling.mean(~called[at], w), np.flatnonzero(~positive)),
        roc_auc=answers.estimate(lambda at, w: resampling.roc_auc(scores[at], positive[at], w)),
        average_precision=answers.estimate(lambda at, w: resampling.average_precision(scores[at], positive[at], w)),
    )


def _precision_recall(answers: Answers, index: int) -> Curve:
    precision, recall, _ = sk.precision_recall_curve(answers.truth == index, answers.probabilities[:, index])
    return thinned(answers.labels[index], recall[::-1], precision[::-1])


def _binary(answers: Answers, sources: NDArray[np.str_]) -> BinaryResult:
    none = answers.labels.index(NO_TUMOR)
    present, has_tumor = 1.0 - answers.probabilities[:, none], answers.truth != none
    called = present >= 0.5
    right = called == has_tumor

    def share(of: NDArray[np.bool_], at: Positions | None = None) -> CvFigure:
        chosen = answers.everything if at is None else at
        return answers.cross_validated(lambda p, w: resampling.mean(of[p], w), float(of[chosen].mean()), chosen)

    x, y, _ = sk.roc_curve(has_tumor, present)
    return BinaryResult(
        accuracy=share(right),
        sensitivity=share(called, np.flatnonzero(has_tumor)),
        specificity=share(~called, np.flatnonzero(~has_tumor)),
        roc_auc=answers.cross_validated(
            lambda p, w: resampling.roc_auc(present[p], has_tumor[p], w), float(sk.roc_auc_score(has_tumor, present))
        ),
        average_precision=answers.cross_validated(
            lambda p, w: resampling.average_precision(present[p], has_tumor[p], w),
            float(sk.average_precision_score(has_tumor, present)),
        ),
        sources=share_rows(answers, right, sources),
        roc=thinned("tumor or not", x, y),
    )


def _other_sets(predictions: ClassifierPredictions, probabilities: NDArray[np.float64]) -> tuple[ShareRow, ...]:
    """Right answers on the sets beside `t1_slices`, by set and label."""
    others = ~predictions.main
    if not others.any():
        return ()
    answers = answers_of(predictions, probabilities, others)
    labels = np.array(predictions.labels)[answers.truth]
    return share_rows(answers, answers.right, np.char.add(np.char.add(predictions.sources[others], ", "), labels))


def _leaky(leaky: ClassifierPredictions, grouped: ClassifierPredictions) -> LeakyResult:
    """The leaky arm beside the grouped answers of the same fold number, one network each."""
    flawed = answers_of(leaky, softmax(leaky.logits), leaky.main)
    same = grouped.main & (grouped.folds == grouped.folds.min())
    honest = answers_of(grouped, softmax(grouped.logits), same)

    def binary(answers: Answers) -> Estimate | None:
        if NO_TUMOR not in answers.labels:
            return None
        none = answers.labels.index(NO_TUMOR)
        right = (answers.probabilities[:, none] <= 0.5) == (answers.truth != none)
        return answers.estimate(lambda at, weights: resampling.mean(right[at], weights))

    of_honest = binary(honest)
    return LeakyResult(
        accuracy=flawed.estimate(partial(_accuracy, flawed)),
        macro_f1=flawed.estimate(partial(_macro_f1, flawed)),
        binary_accuracy=binary(flawed),
        grouped_accuracy=float(honest.right.mean()),
        grouped_macro_f1=_pooled_macro_f1(honest),
        grouped_binary_accuracy=None if of_honest is None else of_honest.value,
    )
