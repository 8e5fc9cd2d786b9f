"""Figures under weights: what scikit-learn says, for all resamples at once."""

import numpy as np
import pytest
from sklearn import metrics as sk

from model_export.evaluation.resampling import (
    as_estimate,
    average_precision,
    calibration_error,
    confusions,
    estimate,
    group_weights,
    mean,
    mean_over_folds,
    recall_precision_f1,
    roc_auc,
)


@pytest.fixture
def scored() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores with many ties, which are positive, and integer weights with zeros."""
    random = np.random.default_rng(0)
    scores = random.integers(0, 12, 200) / 12
    positive = random.random(200) < 0.2 + 0.6 * scores
    return scores, positive, random.integers(0, 4, (6, 200)).astype(np.float32)


def test_area_under_the_curve_is_scikit_learns(scored: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    scores, positive, weights = scored
    found = roc_auc(scores, positive, weights)
    assert found == pytest.approx([sk.roc_auc_score(positive, scores, sample_weight=row) for row in weights])


def test_average_precision_is_scikit_learns(scored: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    scores, positive, weights = scored
    found = average_precision(scores, positive, weights)
    assert found == pytest.approx([sk.average_precision_score(positive, scores, sample_weight=row) for row in weights])


def test_a_resample_without_one_class_has_no_area() -> None:
    weights = np.array([[1, 1, 1], [1, 1, 0]], np.float32)
    found = roc_auc(np.array([0.1, 0.2, 0.9]), np.array([False, False, True]), weights)
    assert found[0] == 1.0
    assert np.isnan(found[1])
    assert np.isnan(average_precision(np.array([0.1, 0.2, 0.9]), np.array([False, False, True]), weights)[1])


def test_recall_precision_and_f1_are_scikit_learns() -> None:
    random = np.random.default_rng(1)
    truth, predicted = random.integers(0, 3, 90), random.integers(0, 3, 90)
    weights = random.integers(0, 3, (4, 90)).astype(np.float32)
    recall, precision, f1 = recall_precision_f1(confusions(truth, predicted, 3, weights))
    for row, weight in enumerate(weights):
        expected = sk.precision_recall_fscore_support(truth, predicted, sample_weight=weight)
        assert precision[row] == pytest.approx(expected[0])
        assert recall[row] == pytest.approx(expected[1])
        assert f1[row] == pytest.approx(expected[2])


def test_a_class_that_is_never_answered_has_precision_zero_and_one_that_never_occurs_has_none() -> None:
    truth, predicted = np.array([0, 0, 1]), np.array([0, 0, 0])
    recall, precision, f1 = recall_precision_f1(confusions(truth, predicted, 3, np.ones((1, 3), np.float32)))
    assert recall[0, :2] == pytest.approx([1.0, 0.0])
    assert precision[0, :2] == pytest.approx([2 / 3, 0.0])
    assert f1[0, :2] == pytest.approx([0.8, 0.0])
    assert np.isnan([recall[0, 2], precision[0, 2], f1[0, 2]]).all()


def test_whole_groups_are_drawn_within_their_fold() -> None:
    groups = np.array(["a", "a", "b", "c", "c", "c", "d"])
    folds = np.array([0, 0, 0, 1, 1, 1, 1])
    weights = group_weights(groups, folds)
    assert (weights[0] == 1).all()
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 3] == weights[:, 5]).all()
    assert (weights[1:, 0] + weights[1:, 2] == 2).all()
    assert (weights[1:, 3] + weights[1:, 6] == 2).all()
    assert np.array_equal(weights, group_weights(groups, folds))
    with pytest.raises(ValueError, match="no slices"):
        group_weights(np.array([], np.str_), np.array([], np.int64))


def test_the_mean_over_folds_is_not_the_pot() -> None:
    right = np.array([True] * 6 + [True, False])
    groups = np.array([f"g{i}" for i in range(8)])
    folds = np.array([0] * 6 + [1] * 2)
    weights = group_weights(groups, folds)
    figure = lambda at, w: mean(right[at], w)  # noqa: E731
    of_folds, by_fold = mean_over_folds(figure, np.arange(8), folds, weights, groups)
    assert by_fold == {"0": 1.0, "1": 0.5}
    assert of_folds.value == pytest.approx(0.75)
    assert (of_folds.low, of_folds.high) == (0.5, 1.0)
    assert estimate(figure, np.arange(8), weights, groups).value == pytest.approx(7 / 8)
    assert (of_folds.slices, of_folds.groups) == (8, 8)


def test_a_figure_that_no_resample_has_is_an_error() -> None:
    with pytest.raises(ValueError, match="not defined"):
        as_estimate(np.array([0.5, np.nan, np.nan]), 3, 3)


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.9, 0.9, 0.6, 0.6])
    right = np.array([True, False, True, True])
    bins = np.array([1, 1, 0, 0])
    found = calibration_error(confidence, right, bins, np.array([[1, 1, 1, 1], [0, 2, 0, 0]], np.float32))
    assert found == pytest.approx([0.5 * 0.4 + 0.5 * 0.4, 0.9])
