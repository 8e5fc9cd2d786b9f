"""Decoded pixels -> gray `[rows, columns]`, or a reason why they cannot be a scan."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gateway.imaging.errors import BlankPicture, ColorPicture, UnsupportedPixels
from gateway.imaging.study import Pixels
from service_kit.errors import Measurement

COLOR_LEVELS = 24
"""Channels of one pixel may differ by this many levels of 255: compression and soft tints stay below."""
COLOR_SHARE = 0.01
"""This share of the pixels may be in color: room for a colored mark or ruler, not for a photo or a fused map."""

MIN_GRAY_LEVELS = 8
"""A scan has at least as many distinct values: a drawn mask has 2, an empty slice a few."""

_FLOAT_MODES = {"I", "F", "I;16", "I;16B", "I;16L"}
_ALPHA_MODES = {"LA", "PA", "RGBA"}


def to_gray(image: Image.Image) -> Pixels:
    """A decoded picture -> uint8, or float32 where more than 8 bits came. Transparent pixels turn black.

    Raises `ColorPicture`, `UnsupportedPixels`.
    """
    if image.mode in _FLOAT_MODES:
        return np.asarray(image).astype(np.float32)
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image)
    if image.mode == "L":
        return np.asarray(image)
    if image.mode not in {"P", "RGB", "RGBA", "RGBX"}:
        raise UnsupportedPixels(f"The picture is stored as {image.mode}; save it in gray.")
    image = image.convert("RGB")
    check_color(np.asarray(image))
    return np.asarray(image.convert("L"))


def check_color(channels: NDArray[np.uint8]) -> None:
    """Raises `ColorPicture` where more than `COLOR_SHARE` of `channels [rows, columns, 3]` is in color."""
    step = max(1, min(channels.shape[:2]) // 256)
    first, second, third = np.moveaxis(channels[::step, ::step], 2, 0)
    spread = np.maximum(np.maximum(first, second), third) - np.minimum(np.minimum(first, second), third)
    share = np.count_nonzero(spread > COLOR_LEVELS) / spread.size
    if share > COLOR_SHARE:
        raise ColorPicture(
            f"{share:.1%} of the pixels are in color (channels more than {COLOR_LEVELS} of 255 levels apart); at most "
            f"{COLOR_SHARE:.0%} may be. Send the gray scan itself, not a photo, a color map or a fused picture.",
            measurement=Measurement("color_share", share, COLOR_SHARE),
        )


def check_pixels(pixels: Pixels) -> Pixels:
    """Raises `UnsupportedPixels` where a value is not finite and `BlankPicture` where all are the same."""
    low, high = float(pixels.min()), float(pixels.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise UnsupportedPixels("The picture has values that are not finite (NaN or infinity).")
    if low == high:
        raise BlankPicture(
            "Every pixel has the same value: there is nothing to see. Send one slice of a brain MRI.",
            measurement=Measurement("gray_levels", 1, MIN_GRAY_LEVELS),
        )
    return pixels


def orient(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror as EXIF's `orientation` (1 to 8) says."""
    upright: NDArray[Any] = pixels.T if orientation in {5, 6, 7, 8} else pixels
    if orientation in {2, 3, 6, 7}:
        upright = upright[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        upright = upright[::-1]
    return np.ascontiguousarray(upright)
