"""Intervals that respect patients: whole groups are drawn, never single slices."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict


class Estimate(BaseModel):
    """A figure with its group-bootstrap interval."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    slices: int
    groups: int


def group_bootstrap(
    groups: Sequence[str],
    statistic: Callable[[NDArray[np.int64]], float],
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """The statistic of all slices, and the percentile interval over resampled groups.

    Args:
        groups: the group of each slice.
        statistic: of positions into the slices (a position may come several times).
        resamples: how many times groups are drawn with replacement.
        level: the interval's nominal coverage.
        seed: of the draws.
    """
    if not groups:
        raise ValueError("no slices to judge")
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(member, kind="stable")
    of_group = np.split(order, np.cumsum(np.bincount(member))[:-1])
    random = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([of_group[g] for g in random.integers(0, len(names), len(names))]))
        for _ in range(resamples)
    ]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(
        value=float(statistic(np.arange(len(groups)))),
        low=float(low),
        high=float(high),
        slices=len(groups),
        groups=len(names),
    )
