"""Calibration that never sees whom it judges, and coverage that holds where slices of a patient err together."""

from dataclasses import replace

import numpy as np
import pytest

from model_export.evaluation.calibrated import (
    BINS,
    equal_mass,
    equal_width,
    judge_calibration,
    reliability_bins,
    risk_coverage,
)
from model_export.evaluation.calibration import fit_calibration
from model_export.evaluation.cross_fitting import calibration_parts, cross_fit
from tests.models.evaluation_fakes import TUMORS, grouped


def test_a_fold_is_judged_by_the_others_alone() -> None:
    predictions = grouped(groups=150)
    spoiled = predictions.logits.copy()
    spoiled[predictions.folds == 2] *= -1
    before, after = cross_fit(predictions), cross_fit(replace(predictions, logits=spoiled))
    assert before.calibrations["2"] == after.calibrations["2"]
    assert all(before.calibrations[k] != after.calibrations[k] for k in ("0", "1", "3", "4"))


def test_slices_of_other_sets_are_judged_but_fit_nothing() -> None:
    predictions = grouped(groups=150)
    spoiled = np.where(predictions.main[:, None], predictions.logits, -predictions.logits)
    found = cross_fit(replace(predictions, logits=spoiled))
    assert found.calibrations == cross_fit(predictions).calibrations
    assert (found.probabilities.sum(axis=1) > 0.99).all()


def test_one_fold_is_dealt_into_parts_by_patient() -> None:
    predictions = grouped(groups=200, folds=1)
    parts = calibration_parts(predictions)
    assert set(parts) == {0, 1, 2, 3, 4}
    for group in np.unique(predictions.groups):
        assert len(np.unique(parts[predictions.groups == group])) == 1
    assert len(cross_fit(predictions).calibrations) == 5


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("count_patients", [False, True])
def test_coverage_of_each_class_is_as_promised_where_a_patients_slices_err_together(
    seed: int, count_patients: bool
) -> None:
    predictions = grouped(groups=3000, seed=seed)
    covered = cross_fit(predictions, count_patients=count_patients).sets[np.arange(len(predictions)), predictions.truth]
    for index in range(len(TUMORS)):
        assert 0.93 <= covered[predictions.main & (predictions.truth == index)].mean() <= 0.97


def test_what_is_said_of_calibration() -> None:
    predictions = grouped(groups=600)
    found = judge_calibration(predictions, cross_fit(predictions))
    assert [row.label for row in found.classes] == sorted(TUMORS)
    assert all(row.coverage.low < 0.95 < row.coverage.high for row in found.classes)
    assert [row.label for row in found.sources] == ["brisc", "cheng"]
    assert [row.label for row in found.other_sets] == ["lgg"]
    assert found.errors["equal mass, after"].value < 0.03 < found.errors["equal mass, before"].value
    assert found.published == fit_calibration(predictions)
    assert set(found.by_patient) == set(TUMORS)


def test_a_model_that_errs_rarely_is_not_covered_more_than_promised() -> None:
    predictions = grouped(groups=800)
    sure = replace(predictions, logits=(predictions.logits + 8 * np.eye(4)[predictions.truth]).astype(np.float32))
    found = judge_calibration(sure, cross_fit(sure))
    assert min(found.published.thresholds.values()) > 0.5
    assert all(0.93 <= row.coverage.value <= 0.97 for row in found.classes)
    assert found.overall.empty == pytest.approx(1 - found.answered.value, abs=1e-9)
    assert found.answered_right.value > 0.999


def test_patients_counted_once_weigh_less_where_one_has_many_slices() -> None:
    predictions = grouped(groups=200)
    large = predictions.groups == predictions.groups[0]
    crowd = np.concatenate([np.arange(len(predictions)), np.repeat(np.flatnonzero(large), 400)])
    fields = ("keys", "groups", "sources", "views", "main", "folds", "truth", "logits")
    crowded = replace(predictions, **{name: getattr(predictions, name)[crowd] for name in fields})
    slices = cross_fit(crowded).calibrations
    patients = cross_fit(crowded, count_patients=True).calibrations
    label = TUMORS[int(predictions.truth[0])]
    other = next(part for part in slices if int(part) != int(predictions.folds[0]))
    alone = cross_fit(predictions, count_patients=True).calibrations[other]
    moved = abs(slices[other].thresholds[label] - alone.thresholds[label])
    assert abs(patients[other].thresholds[label] - alone.thresholds[label]) < moved


def test_nothing_to_calibrate_on_is_an_error() -> None:
    predictions = grouped(groups=50)
    with pytest.raises(ValueError, match="to calibrate on"):
        fit_calibration(replace(predictions, main=np.zeros(len(predictions), np.bool_)))


def test_bins_have_equal_mass_or_equal_width() -> None:
    confidence = np.linspace(0.25, 1.0, 150)
    assert np.bincount(equal_mass(confidence)).tolist() == [10] * BINS
    assert equal_width(np.array([0.0, 0.5, 0.999, 1.0])).tolist() == [0, 7, 14, 14]


def test_reliability_by_hand() -> None:
    found = reliability_bins(np.array([0.6, 0.8, 0.9]), np.array([True, False, True]), np.array([0, 0, 4]))
    assert [(b.confidence, b.accuracy, b.slices) for b in found] == [(pytest.approx(0.7), 0.5, 2), (0.9, 1.0, 1)]


def test_risk_over_coverage_by_hand() -> None:
    curve, area = risk_coverage(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True]))
    assert curve.x == (0.25, 0.5, 0.75, 1.0)
    assert curve.y == pytest.approx((0.0, 0.0, 1 / 3, 0.25), abs=1e-5)
    assert area == pytest.approx((1 / 3 + 0.25) / 4)
