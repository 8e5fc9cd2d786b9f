"""The interval of a share that was counted (Wilson 1927): honest for few patients, and for a share of 0 or 1."""

import math

_Z = 1.959964


def wilson_interval(hits: int, of: int) -> tuple[float, float]:
    """Low and high end of the 95 % interval. Raises `ValueError` where nothing was counted."""
    if of < 1:
        raise ValueError("a share needs something to count")
    share, square = hits / of, _Z**2 / of
    middle = (share + square / 2) / (1 + square)
    reach = _Z * math.sqrt(share * (1 - share) / of + square / (4 * of)) / (1 + square)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)
