"""Deletion and insertion (Petsiuk et al. 2018): does the answer hang on what the heat map calls important?"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

FRACTIONS = (0.0, 1 / 48, 1 / 24, 1 / 12, 1 / 6, 1 / 3, 2 / 3, 1.0)
"""Shares of the positions that are taken away (or given), the most important first: denser where it matters."""
_BLUR_SHARE = 1 / 12
Judge = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""Pictures `[B, S, S]` -> the probability `[B]` of the class that is explained."""


def importance_order(heat: NDArray[np.floating]) -> NDArray[np.int64]:
    """The positions of a map `[h, w]`, flattened, hottest first; ties in reading order."""
    return np.argsort(-heat, axis=None, kind="stable")


def center_prior(side: int) -> NDArray[np.float64]:
    """A map `[side, side]` that is hottest in the middle: what a map is worth that never looks at the picture."""
    middle = (side - 1) / 2
    y, x = np.mgrid[0:side, 0:side]
    return np.asarray(np.exp(-((y - middle) ** 2 + (x - middle) ** 2) / (2 * (side / 4) ** 2)), np.float64)


def curves(
    image: NDArray[np.uint8], order: NDArray[np.int64], side: int, judge: Judge
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities `[len(FRACTIONS)]` under deletion and under insertion.

    Deleted positions become the median gray of what is not black; insertion starts from the picture blurred until no
    detail is left.

    Args:
        image: `[S, S]`; S is a multiple of `side`.
        order: the `side` x `side` positions, the most important first.
        side: of the map.
        judge: the network.
    """
    gone = [_mask(order, share, side, image.shape[0]) for share in FRACTIONS]
    blurred = cv2.GaussianBlur(image, (0, 0), image.shape[0] * _BLUR_SHARE)
    seen = image[image > 0]
    gray = np.uint8(np.median(seen) if seen.size else 0)
    pictures = [np.where(mask, gray, image) for mask in gone] + [np.where(mask, image, blurred) for mask in gone]
    found = judge(np.stack(pictures).astype(np.uint8))
    return found[: len(FRACTIONS)], found[len(FRACTIONS) :]


def area_under(curve: NDArray[np.float64]) -> float:
    """The area under a curve over `FRACTIONS`, by trapezoids: 1 for a probability of 1 throughout."""
    return float(np.trapezoid(curve, FRACTIONS))


def _mask(order: NDArray[np.int64], share: float, side: int, size: int) -> NDArray[np.bool_]:
    grid = np.zeros(side * side, np.bool_)
    grid[order[: round(share * len(order))]] = True
    step = size // side
    return np.kron(grid.reshape(side, side), np.ones((step, step), np.bool_))
