"""Temperature and conformal thresholds, and intervals that respect groups."""

import numpy as np
import pytest

from model_export.evaluation.bootstrap import group_bootstrap
from model_export.evaluation.calibration import (
    calibrate,
    conformal_threshold,
    fit_temperature,
    patient_weights,
    prediction_sets,
)
from model_export.evaluation.metrics import softmax


def _overconfident(count: int, factor: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    honest = random.normal(size=(count, 3)) * 1.5
    truth = np.array([random.choice(3, p=row) for row in softmax(honest)])
    return honest * factor, truth


def test_the_temperature_undoes_overconfidence() -> None:
    logits, truth = _overconfident(4000, factor=3.0)
    assert fit_temperature(logits, truth) == pytest.approx(3.0, rel=0.1)


def test_the_threshold_is_the_finite_sample_quantile() -> None:
    probabilities = np.arange(1, 100) / 250  # 99 of them: rank floor(100 * .05) = 5
    assert conformal_threshold(probabilities, 0.95) == pytest.approx(5 / 250)


def test_too_few_slices_keep_every_label() -> None:
    assert conformal_threshold(np.full(18, 0.9), 0.95) == 0.0


def test_the_threshold_follows_a_sure_model_above_one_half() -> None:
    probabilities = np.concatenate([np.full(24, 0.6), np.full(476, 0.99)])
    assert conformal_threshold(probabilities, 0.95) == 0.99
    assert conformal_threshold(np.full(500, 0.99), 0.95) == 0.99


def test_weights_of_one_change_nothing_and_weights_count_like_copies() -> None:
    probabilities = np.linspace(0.1, 0.9, 60)
    assert conformal_threshold(probabilities, 0.95, np.ones(60)) == conformal_threshold(probabilities, 0.95)
    heavy = np.where(np.arange(60) < 2, 3.0, 1.0)
    copies = np.repeat(probabilities, heavy.astype(int))
    assert conformal_threshold(probabilities, 0.9, heavy) == conformal_threshold(copies, 0.9)


def test_every_patient_weighs_one() -> None:
    assert patient_weights(["a", "b", "a", "a"]) == pytest.approx([1 / 3, 1.0, 1 / 3, 1 / 3])


def test_coverage_holds_on_new_slices_of_every_class() -> None:
    logits, truth = _overconfident(6000, factor=2.0)
    fitted = calibrate(logits[:3000], truth[:3000], ("a", "b", "c"))
    sets = prediction_sets(softmax(logits[3000:], fitted.temperature), fitted)
    covered = sets[np.arange(3000), truth[3000:]]
    for label in range(3):
        assert covered[truth[3000:] == label].mean() > 0.93


def test_the_interval_widens_when_slices_come_from_few_groups() -> None:
    values = np.repeat(np.random.default_rng(1).random(20), 10)
    few = [f"patient-{i // 10}" for i in range(200)]
    many = [f"slice-{i}" for i in range(200)]
    grouped = group_bootstrap(few, lambda at: float(values[at].mean()))
    naive = group_bootstrap(many, lambda at: float(values[at].mean()))
    assert grouped.value == pytest.approx(naive.value)
    assert grouped.high - grouped.low > 2 * (naive.high - naive.low)
    assert (grouped.slices, grouped.groups) == (200, 20)
    assert grouped.low < grouped.value < grouped.high


def test_the_bootstrap_is_reproducible_and_needs_slices() -> None:
    values, groups = np.arange(30.0), [f"g{i // 3}" for i in range(30)]
    first = group_bootstrap(groups, lambda at: float(values[at].mean()), seed=4)
    assert first == group_bootstrap(groups, lambda at: float(values[at].mean()), seed=4)
    with pytest.raises(ValueError, match="no slices"):
        group_bootstrap([], lambda at: float(at.sum()))
