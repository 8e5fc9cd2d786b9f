"""Bland and Altman's agreement of two measures of the same patients."""

import numpy as np
from numpy.typing import NDArray

from model_export.evaluation.mean_interval import group_mean
from model_export.evaluation.segmentation import BlandAltman

_WIDTH = 1.96


def bland_altman(
    patients: NDArray[np.str_], found: NDArray[np.int64], true: NDArray[np.int64], *, relative: bool
) -> BlandAltman:
    """Found against true volume in pixels; `relative` divides each difference by the pair's mean and says percent.

    The standard deviation is the sample's (n - 1). Patients whose volumes are both 0 agree.

    Raises:
        ValueError: there are fewer than two patients.
    """
    if len(patients) < 2:
        raise ValueError("limits of agreement need two patients")
    means = (found + true) / 2.0
    differences = np.asarray(found - true, np.float64)
    if relative:
        differences = 100.0 * differences / np.where(means > 0, means, 1.0)
    spread = _WIDTH * float(differences.std(ddof=1))
    bias = float(differences.mean())
    return BlandAltman(
        unit="%" if relative else "px",
        bias=group_mean(patients, differences),
        lower_limit=bias - spread,
        upper_limit=bias + spread,
        outside=float((np.abs(differences - bias) > spread).mean()),
        means=tuple(float(value) for value in means),
        differences=tuple(round(float(value), 3) for value in differences),
    )
