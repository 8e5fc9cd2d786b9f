"""Classifier figures on made answers: by hand, and beside scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from model_export.evaluation.classifiers import judge_classifier
from model_export.evaluation.cross_fitting import cross_fit
from tests.models.evaluation_fakes import TUMORS, answered, grouped

ROWS = [
    ("glioma", "glioma", 0),
    ("glioma", "no_tumor", 0),
    ("meningioma", "glioma", 0),
    ("no_tumor", "no_tumor", 0),
    ("pituitary", "pituitary", 0),
    ("glioma", "glioma", 1),
    ("meningioma", "meningioma", 1),
    ("no_tumor", "no_tumor", 1),
    ("no_tumor", "pituitary", 1),
    ("pituitary", "pituitary", 1),
]


def test_confusion_accuracy_and_folds_by_hand() -> None:
    found = judge_classifier(answered(ROWS))
    assert found.confusion == ((2, 0, 1, 0), (1, 1, 0, 0), (0, 0, 2, 1), (0, 0, 0, 2))
    assert found.accuracy.folds == {"0": pytest.approx(3 / 5), "1": pytest.approx(4 / 5)}
    assert found.accuracy.mean.value == pytest.approx(0.7)
    assert found.accuracy.pooled == pytest.approx(0.7)
    assert found.balanced_accuracy.pooled == pytest.approx((2 / 3 + 1 / 2 + 2 / 3 + 1) / 4)
    assert found.macro_f1.pooled == pytest.approx((2 / 3 + 2 / 3 + 2 / 3 + 4 / 5) / 4)
    assert (found.slices, found.groups, found.folds) == (10, 10, (0, 1))


def test_a_class_row_by_hand() -> None:
    row = {row.label: row for row in judge_classifier(answered(ROWS)).classes}["glioma"]
    assert (row.support, row.groups) == (3, 3)
    assert row.recall.value == pytest.approx(2 / 3)
    assert row.precision.value == pytest.approx(2 / 3)
    assert row.f1.value == pytest.approx(2 / 3)
    assert row.specificity.value == pytest.approx(6 / 7)
    assert row.recall.low < row.recall.value < row.recall.high


def test_tumor_or_not_takes_all_tumor_classes_together() -> None:
    binary = judge_classifier(answered(ROWS)).binary
    assert binary is not None
    assert binary.accuracy.pooled == pytest.approx(8 / 10)
    assert binary.sensitivity.pooled == pytest.approx(6 / 7)
    assert binary.sensitivity.folds == {"0": pytest.approx(3 / 4), "1": pytest.approx(1.0)}
    assert binary.specificity.pooled == pytest.approx(2 / 3)


def test_a_view_model_has_no_binary_figures() -> None:
    labels = ("axial", "coronal", "sagittal")
    rows = [(label, label, fold) for label in labels for fold in (0, 1)]
    found = judge_classifier(answered(rows, labels))
    assert found.binary is None
    assert found.accuracy.mean.value == 1.0


def test_scores_are_scikit_learns_fold_by_fold() -> None:
    predictions = grouped(groups=120)
    found, probabilities = judge_classifier(predictions), cross_fit(predictions).probabilities
    for fold, value in found.roc_auc.folds.items():
        part = predictions.main & (predictions.folds == int(fold))
        expected = sk.roc_auc_score(predictions.truth[part], probabilities[part], multi_class="ovr")
        assert value == pytest.approx(expected)
    for fold, value in found.macro_f1.folds.items():
        part = predictions.main & (predictions.folds == int(fold))
        expected = sk.f1_score(predictions.truth[part], probabilities[part].argmax(axis=1), average="macro")
        assert value == pytest.approx(expected)
    main = predictions.main
    by_class = [
        sk.average_precision_score(predictions.truth[main] == c, probabilities[main, c]) for c in range(len(TUMORS))
    ]
    assert found.average_precision.pooled == pytest.approx(np.mean(by_class))
    assert [row.average_precision.value for row in found.classes] == pytest.approx(by_class)


def test_sources_views_and_other_sets_are_told_apart() -> None:
    sources = ["cheng"] * 5 + ["brisc"] * 4 + ["lgg"]
    found = judge_classifier(answered(ROWS, sources=sources, main=[True] * 9 + [False]))
    assert {row.label: row.share.value for row in found.sources} == {
        "brisc": pytest.approx(3 / 4),
        "cheng": pytest.approx(3 / 5),
    }
    assert [row.label for row in found.views] == ["axial"]
    assert [(row.label, row.share.value, row.share.slices) for row in found.other_sets] == [("lgg, pituitary", 1.0, 1)]
    assert {row.label: row.share.value for row in found.class_sources}["no_tumor, brisc"] == pytest.approx(1 / 2)
    assert found.slices == 9


def test_the_leaky_arm_stands_beside_the_same_fold() -> None:
    perfect = [(true, true, 0) for true, _, _ in ROWS]
    leaky = judge_classifier(answered(ROWS), answered(perfect)).leaky
    assert leaky is not None
    assert leaky.accuracy.value == 1.0
    assert leaky.macro_f1.value == pytest.approx(1.0)
    assert leaky.grouped_accuracy == pytest.approx(3 / 5)
    assert leaky.grouped_binary_accuracy == pytest.approx(4 / 5)


def test_two_classes_are_judged_as_two() -> None:
    rows = [("tumor", "tumor", 0), ("no_tumor", "no_tumor", 0), ("tumor", "no_tumor", 0), ("tumor", "tumor", 0)]
    binary = judge_classifier(answered(rows * 3, ("no_tumor", "tumor"))).binary
    assert binary is not None
    assert binary.accuracy.pooled == pytest.approx(3 / 4)
    assert binary.sensitivity.pooled == pytest.approx(2 / 3)


def test_nothing_of_the_main_set_is_an_error() -> None:
    with pytest.raises(ValueError, match="no slice of t1_slices"):
        judge_classifier(answered(ROWS, main=[False] * 10))
