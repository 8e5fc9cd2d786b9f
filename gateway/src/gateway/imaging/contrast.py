"""Do the gray values fit the names of the sequences? A cross-check that only ever warns.

The rules compare two sequences of one brain: where fluid is dark or bright, how far the brightest voxels stand out,
what is alike. Margins leave room for the variety of tumors and scanners; `docs/volumes.md` says how they were found.
They hold for volumes without skull: other heads, and a sequence alone, are not judged.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service_kit.contracts.common import Sequence

_SAMPLED: Final = 60_000
_MIN_VOXELS: Final = 2_000
_AIR_SHARE: Final = 0.3
_BRIGHTEST: Final = 0.97
_TAIL_MARGIN: Final = 0.25
_PLACE_MARGIN: Final = 0.1
_ALIKE_MARGIN: Final = 0.15

# The brightest voxels of the second stand out more than those of the first.
_LONGER_TAIL: Final[tuple[tuple[Sequence, Sequence], ...]] = (("t1", "t1ce"), ("t1", "t2"), ("t1ce", "t2"))
_T1_PAIRS: Final[tuple[tuple[Sequence, Sequence], ...]] = (("t1", "t1ce"), ("t1ce", "t1"))
_OTHERS: Final[tuple[Sequence, ...]] = ("t2", "flair")


def check_contrast(volumes: Mapping[Sequence, NDArray[Any]]) -> tuple[str, ...]:
    """Warnings for pairs of sequences (arrays of one shape) whose names would fit better the other way round."""
    if len(volumes) < 2:
        return ()
    brain = _brain(volumes)
    if brain is None:
        return ()
    ranks = {name: _ranks(values) for name, values in brain.items()}
    swapped: list[tuple[Sequence, Sequence]] = []
    for low, high in _LONGER_TAIL:
        if low in brain and high in brain and _tail(brain[high]) < _tail(brain[low]) - _TAIL_MARGIN:
            swapped.append((low, high))
    if {"t2", "flair"} <= ranks.keys():
        # What is bright in FLAIR (edema) is bright in T2; what is bright in T2 may be fluid, which is dark in FLAIR.
        edema = ranks["t2"][ranks["flair"] > _BRIGHTEST].mean()
        fluid = ranks["flair"][ranks["t2"] > _BRIGHTEST].mean()
        if edema < fluid - _PLACE_MARGIN:
            swapped.append(("t2", "flair"))
    swapped += _unlike(ranks)
    return tuple(
        f"The gray values of {first} and {second} fit better the other way round: check which file is which."
        for first, second in dict.fromkeys(swapped)
    )


def _brain(volumes: Mapping[Sequence, NDArray[Any]]) -> dict[Sequence, NDArray[np.float64]] | None:
    """Values inside the brain, some of them; None where there is air with noise around a whole head."""
    size = next(iter(volumes.values())).size
    step = max(1, round((size / (4 * _SAMPLED)) ** (1 / 3)))
    thin = {name: values[::step, ::step, ::step] for name, values in volumes.items()}
    inside = np.logical_and.reduce([values > values.min() for values in thin.values()])
    if inside.mean() > 1 - _AIR_SHARE or np.count_nonzero(inside) < _MIN_VOXELS:
        return None
    return {name: values[inside].astype(np.float64) for name, values in thin.items()}


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values)) / len(values)
    return ranks


def _tail(values: NDArray[np.float64]) -> float:
    """How far the brightest half percent is above the median, in steps from there to the darkest; a logarithm."""
    low, middle, high = np.percentile(values, [5, 50, 99.5])
    return float(np.log(max(high - middle, 1e-6) / max(middle - low, 1e-6)))


def _unlike(ranks: Mapping[Sequence, NDArray[np.float64]]) -> list[tuple[Sequence, Sequence]]:
    """T1 before and after contrast are more alike than either is to another sequence."""
    if not {"t1", "t1ce"} <= ranks.keys():
        return []
    alike = float(np.corrcoef(ranks["t1"], ranks["t1ce"])[0, 1])
    return [
        (doubted, other)
        for kept, doubted in _T1_PAIRS
        for other in _OTHERS
        if other in ranks and float(np.corrcoef(ranks[kept], ranks[other])[0, 1]) > alike + _ALIKE_MARGIN
    ]
