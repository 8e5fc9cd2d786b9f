"""Decoded pixels -> gray `[rows, columns]`, or a reason why they cannot be a scan."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.imaging.errors import BlankPicture, ColorPicture, UnreadableFile, UnsupportedPixels
from gateway.imaging.study import Pixels

Decoded = NDArray[Any]
"""What a decoder returns: uint8, uint16 or float32."""

COLOR_LEVELS = 24
"""Channels of one pixel may differ by this many levels of 255: compression and soft tints stay below."""
COLOR_SHARE = 0.01
"""This share of the pixels may be in color: room for a colored mark or ruler, not for a photo or a fused map."""


def to_gray(decoded: Decoded) -> Pixels:
    """`[rows, columns]` or `[rows, columns, 3 or 4]` (BGR, BGRA) -> uint8, or float32 where more than 8 bits came.

    Transparent pixels turn black. Raises `ColorPicture`.
    """
    if decoded.ndim == 2:
        return _keep(decoded)
    check_color(decoded[..., :3])
    if decoded.shape[2] == 4:
        return _keep(_flatten(decoded))
    return _keep(cv2.cvtColor(decoded, cv2.COLOR_BGR2GRAY))


def check_color(channels: Decoded) -> None:
    """Raises `ColorPicture` where more than `COLOR_SHARE` of `channels [rows, columns, 3]` is in color."""
    first, second, third = cv2.split(np.ascontiguousarray(channels))
    darkest = cv2.min(cv2.min(first, second), third)
    spread = cv2.subtract(cv2.max(cv2.max(first, second), third), darkest)
    levels = COLOR_LEVELS * (257 if spread.dtype == np.uint16 else 1)
    share = np.count_nonzero(spread > levels) / spread.size
    if share > COLOR_SHARE:
        raise ColorPicture(
            f"{share:.1%} of the pixels are in color (channels more than {COLOR_LEVELS} of 255 levels apart); at most "
            f"{COLOR_SHARE:.0%} may be. Send the gray scan itself, not a photo, a color map or a fused picture."
        )


def check_pixels(pixels: Pixels) -> Pixels:
    """Raises `UnsupportedPixels` where a value is not finite and `BlankPicture` where all are the same."""
    if pixels.dtype == np.float32 and not np.isfinite(pixels).all():
        raise UnsupportedPixels("The picture has values that are not finite (NaN or infinity).")
    low, high, _, _ = cv2.minMaxLoc(pixels)
    if low == high:
        raise BlankPicture("Every pixel has the same value: there is nothing to see.")
    return pixels


def orient(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror as EXIF's `orientation` (1 to 8) says."""
    turned: Decoded = cv2.transpose(pixels) if orientation in {5, 6, 7, 8} else pixels
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return turned if flip is None else cv2.flip(turned, flip)


def _keep(gray: Decoded) -> Pixels:
    if gray.dtype == np.uint8:
        return np.ascontiguousarray(gray, np.uint8)
    if gray.dtype in {np.dtype(np.uint16), np.dtype(np.float32)}:
        return np.ascontiguousarray(gray, np.float32)
    raise UnreadableFile("The decoder returned pixels of an unknown kind.")


def _flatten(decoded: Decoded) -> Decoded:
    gray: Decoded = cv2.cvtColor(decoded, cv2.COLOR_BGRA2GRAY)
    alpha = decoded[..., 3]
    top = np.iinfo(alpha.dtype).max
    if alpha.min() == top:
        return gray
    return np.rint(gray * (alpha.astype(np.float64) / top)).astype(gray.dtype)
