"""From raw scores to honest ones: temperature, probabilities, conformal prediction set."""

import numpy as np
from numpy.typing import NDArray

from service_kit.errors import InferenceFailed
from service_kit.inference.manifest import Calibration


def calibrated(logits: NDArray[np.float32], labels: tuple[str, ...], temperature: float) -> dict[str, float]:
    """Logits `[len(labels)]` -> probabilities by label, summing to 1.

    Raises:
        InferenceFailed: the logits are not finite or not one for each label.
    """
    if logits.shape != (len(labels),) or not np.isfinite(logits).all():
        raise InferenceFailed(f"the model gave no finite score for each of {', '.join(labels)}")
    scaled = logits.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max())
    return dict(zip(labels, (weights / weights.sum()).tolist(), strict=True))


def likeliest(probabilities: dict[str, float]) -> str:
    """The label of the highest probability; of equals the first."""
    return max(probabilities, key=lambda label: probabilities[label])


def prediction_set(probabilities: dict[str, float], calibration: Calibration) -> tuple[str, ...]:
    """Every label whose probability reaches its threshold, the likeliest first. It may be empty: that is an answer."""
    kept = [label for label, value in probabilities.items() if value >= calibration.thresholds[label]]
    return tuple(sorted(kept, key=lambda label: -probabilities[label]))
