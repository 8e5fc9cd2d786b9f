"""The eight mirrored and rotated versions of a square picture."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

TURNS = 8
_NAMES = (
    "as it is",
    "mirrored left to right",
    "mirrored top to bottom",
    "rotated by 180 degrees",
    "mirrored along the diagonal",
    "rotated by 90 degrees counterclockwise",
    "rotated by 90 degrees clockwise",
    "mirrored along the other diagonal",
)


def turned(pictures: NDArray[Scalar], turn: int) -> NDArray[Scalar]:
    """A view of `[..., S, S]`, turned: bit 4 swaps rows and columns, then bit 1 mirrors columns, bit 2 rows."""
    if turn & 4:
        pictures = pictures.swapaxes(-1, -2)
    if turn & 1:
        pictures = pictures[..., ::-1]
    if turn & 2:
        pictures = pictures[..., ::-1, :]
    return pictures


def turn_name(turn: int) -> str:
    """What the turn does, in words."""
    return _NAMES[turn]
