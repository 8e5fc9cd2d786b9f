import numpy as np
import pytest

from classifier_service.scores import calibrated, likeliest, prediction_set
from service_kit.errors import InferenceFailed
from service_kit.inference.manifest import Calibration

LABELS = ("a", "b", "c")


def test_probabilities_sum_to_one_and_follow_the_temperature() -> None:
    logits = np.array([2.0, 0.0, -1.0], np.float32)
    sharp, soft = calibrated(logits, LABELS, 1.0), calibrated(logits, LABELS, 4.0)
    assert sum(sharp.values()) == pytest.approx(1.0, abs=1e-12)
    assert sharp["a"] == pytest.approx(np.exp(2) / (np.exp(2) + 1 + np.exp(-1)), abs=1e-9)
    assert soft["a"] == pytest.approx(np.exp(0.5) / (np.exp(0.5) + 1 + np.exp(-0.25)), abs=1e-9)
    assert likeliest(sharp) == likeliest(soft) == "a"


def test_huge_logits_do_not_overflow() -> None:
    assert calibrated(np.array([1e30, -1e30, 0], np.float32), LABELS, 0.5) == {"a": 1.0, "b": 0.0, "c": 0.0}


@pytest.mark.parametrize("logits", [[np.nan, 0, 0], [np.inf, 0, 0], [1.0, 2.0]])
def test_scores_that_are_none_are_refused(logits: list[float]) -> None:
    with pytest.raises(InferenceFailed, match="finite score"):
        calibrated(np.array(logits, np.float32), LABELS, 1.0)


def test_the_prediction_set_holds_what_reaches_its_threshold_the_likeliest_first() -> None:
    calibration = Calibration(temperature=1, coverage=0.9, thresholds={"a": 0.2, "b": 0.5, "c": 0.1})
    assert prediction_set({"a": 0.3, "b": 0.6, "c": 0.1}, calibration) == ("b", "a", "c")
    assert prediction_set({"a": 0.1, "b": 0.4, "c": 0.05}, calibration) == ()
