"""The finite-sample quantile, what it promises, and the interval of a share."""

import numpy as np
import pytest

from model_export.evaluation.conformal import TooFewPatients, attainable, conformal_bound, least_patients
from model_export.evaluation.wilson import wilson_interval


def test_the_bound_is_the_finite_sample_quantile() -> None:
    scores = np.random.default_rng(1).permutation(np.arange(1, 100) / 10)  # 99: rank 100 * .9 = 90
    assert conformal_bound(scores, 0.9) == 9.0
    assert conformal_bound(np.arange(1.0, 26.0), 0.9) == 24.0  # 26 * .9 = 23.4


@pytest.mark.parametrize("count", [9, 10])
def test_the_bound_of_nine_or_ten_patients_is_their_largest_error(count: int) -> None:
    assert conformal_bound(np.arange(float(count)), 0.9) == count - 1
    assert attainable(count) == pytest.approx(count / (count + 1))


def test_too_few_patients_promise_nothing_and_the_message_says_how_many_it_takes() -> None:
    assert least_patients(0.9) == 9
    assert least_patients(0.8) == 4
    with pytest.raises(TooFewPatients, match=r"8 outlined patients promise a coverage of 0.889 at most; 0.9 takes 9"):
        conformal_bound(np.arange(8.0), 0.9)
    with pytest.raises(TooFewPatients, match="0 outlined patients"):
        conformal_bound(np.zeros(0), 0.9)


@pytest.mark.parametrize("count", [9, 10, 25, 60])
def test_new_patients_are_covered_as_promised(count: int) -> None:
    random = np.random.default_rng(7)
    draws = 4000
    scores = np.abs(random.standard_t(3, (draws, count + 1)))
    covered = [row[-1] <= conformal_bound(row[:-1], 0.9) for row in scores]
    # Exactly rank / (n + 1), which is between .9 and .9 + 1 / (n + 1).
    expected = np.ceil((count + 1) * 0.9 - 1e-9) / (count + 1)
    assert np.mean(covered) == pytest.approx(expected, abs=0.015)


def test_the_interval_of_a_share() -> None:
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson_interval(29, 29)[1] == pytest.approx(1.0)
    with pytest.raises(ValueError, match="something to count"):
        wilson_interval(0, 0)
