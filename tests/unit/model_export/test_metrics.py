"""Figures of merit on values that can be checked by hand."""

import numpy as np
import pytest

from model_export.evaluation.metrics import (
    accuracy,
    confusion,
    dice,
    macro_f1,
    recall_precision_f1,
    softmax,
)

TRUTH = np.array([0, 0, 0, 1, 1, 2])
ANSWERS = np.array([0, 0, 1, 1, 1, 0])


def test_confusion_counts_truth_in_rows() -> None:
    assert confusion(TRUTH, ANSWERS, 3).tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_recall_precision_f1_of_each_class() -> None:
    recall, precision, f1 = recall_precision_f1(confusion(TRUTH, ANSWERS, 3))
    assert recall == pytest.approx([2 / 3, 1.0, 0.0])
    assert precision == pytest.approx([2 / 3, 2 / 3, 0.0])
    assert f1 == pytest.approx([2 / 3, 0.8, 0.0])


def test_macro_f1_leaves_out_classes_that_never_occur() -> None:
    assert macro_f1(TRUTH, ANSWERS, 4) == pytest.approx((2 / 3 + 0.8 + 0.0) / 3)


def test_accuracy_needs_slices() -> None:
    assert accuracy(TRUTH, ANSWERS) == pytest.approx(4 / 6)
    with pytest.raises(ValueError, match="no slices"):
        accuracy(np.array([], np.int64), np.array([], np.int64))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [([1, 1, 0, 0], [1, 0, 0, 0], 2 / 3), ([0, 0], [0, 0], 1.0), ([1, 0], [0, 1], 0.0), ([255, 0], [1, 0], 1.0)],
)
def test_dice(left: list[int], right: list[int], expected: float) -> None:
    assert dice(np.array(left), np.array(right)) == pytest.approx(expected)


def test_softmax_sums_to_one_and_a_high_temperature_flattens() -> None:
    logits = np.array([[1000.0, 0.0, -5.0], [0.0, 0.0, 0.0]])
    assert softmax(logits).sum(axis=1) == pytest.approx([1.0, 1.0])
    assert softmax(logits, 1e6)[0].max() == pytest.approx(1 / 3, abs=1e-3)
