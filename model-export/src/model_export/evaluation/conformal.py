"""Split conformal prediction: how large an error a new patient's will not exceed (Vovk et al.; Lei et al. 2018)."""

import math

import numpy as np
from numpy.typing import NDArray

# Keeps .9 * 10 from being a hair above 9.
_ROUNDING = 1e-9


class TooFewPatients(ValueError):
    """The coverage cannot be promised; the message says how many patients it takes."""


def least_patients(coverage: float) -> int:
    """With fewer calibration patients than this the coverage cannot be promised at all."""
    return math.ceil(coverage / (1 - coverage) - _ROUNDING)


def attainable(patients: int) -> float:
    """The largest coverage that so many patients can promise, by their largest error."""
    return patients / (patients + 1)


def rank(patients: int, coverage: float) -> int:
    """The place, from 1, that the bound has among so many sorted scores: ceil((n + 1) coverage).

    Raises:
        TooFewPatients: it lies beyond the largest score.
    """
    place = math.ceil((patients + 1) * coverage - _ROUNDING)
    if place > patients:
        raise TooFewPatients(
            f"{patients} outlined patients promise a coverage of {attainable(patients):.3f} at most; {coverage:g} "
            f"takes {least_patients(coverage)}: predict more folds, or ask for less"
        )
    return place


def conformal_bound(scores: NDArray[np.float64], coverage: float) -> float:
    """The bound that the score of a new, exchangeable patient keeps with at least the probability `coverage`.

    The finite-sample quantile of `scores [n]`, in which the new patient is counted as the largest: for .9 and nine or
    ten patients it is the largest score.

    Raises:
        TooFewPatients: for this coverage.
    """
    return float(np.sort(scores)[rank(len(scores), coverage) - 1])
