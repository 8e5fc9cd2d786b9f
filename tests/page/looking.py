"""What a screenshot shows, as numbers."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def colors_of(screenshot: bytes) -> NDArray[np.int16]:
    """Pixels `[rows, columns, 3]`."""
    return np.asarray(Image.open(io.BytesIO(screenshot)).convert("RGB"), dtype=np.int16)


def gray_of(screenshot: bytes) -> NDArray[np.int16]:
    """The brightest channel of each pixel, `[rows, columns]`."""
    brightest: NDArray[np.int16] = colors_of(screenshot).max(axis=-1)
    return brightest


def share_like(screenshot: bytes, color: tuple[int, int, int], within: int = 40) -> float:
    """The share of pixels that are of about that color (RGB)."""
    away = np.abs(colors_of(screenshot) - np.array(color, dtype=np.int16)).max(axis=-1)
    return float(np.mean(away <= within))


def differ(one: bytes, other: bytes) -> float:
    """Mean difference of two screenshots of one size, in levels."""
    return float(np.abs(colors_of(one) - colors_of(other)).mean())


def colored(screenshot: bytes, at_least: int = 25) -> float:
    """The share of pixels that are not gray."""
    colors = colors_of(screenshot)
    return float(np.mean(colors.max(axis=-1) - colors.min(axis=-1) >= at_least))
