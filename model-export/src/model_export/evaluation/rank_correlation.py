"""How far two maps agree on what is more and what is less important."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]


def rank_correlation(left: NDArray[np.floating], right: NDArray[np.floating]) -> float:
    """Spearman's rank correlation of two maps of one shape; NaN where one of them is the same everywhere.

    Raises:
        ValueError: the shapes differ.
    """
    if left.shape != right.shape:
        raise ValueError(f"a map of {left.shape} has no ranks in common with one of {right.shape}")
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return float("nan")
    return float(stats.spearmanr(left.ravel(), right.ravel()).statistic)
