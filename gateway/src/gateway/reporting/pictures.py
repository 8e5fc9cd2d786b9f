"""Pixels and masks as plain PNG files of their own size, without decoration."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8] | NDArray[np.float32]
Mask = NDArray[np.bool_] | NDArray[np.uint8]

LOWER_PERCENTILE, UPPER_PERCENTILE = 0.5, 99.8


def to_8_bits(pixels: Pixels) -> NDArray[np.uint8]:
    """Gray for the eye, `[rows, columns]`: 8 bits stay as they are, more are windowed by percentiles."""
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels, np.uint8)
    low, high = np.percentile(pixels, (LOWER_PERCENTILE, UPPER_PERCENTILE))
    if high <= low:
        low, high = float(pixels.min()), float(pixels.max())
    scale = 255.0 / max(float(high - low), 1e-6)
    stretched = (np.asarray(pixels, np.float32) - np.float32(low)) * np.float32(scale)
    levels: NDArray[np.uint8] = np.clip(np.rint(stretched), 0, 255).astype(np.uint8)
    return levels


def render_input(pixels: Pixels) -> bytes:
    """The scan as an 8-bit gray PNG of the input's size."""
    return encode_png(to_8_bits(pixels))


def render_mask(mask: Mask) -> bytes:
    """The mask as an 8-bit PNG of the input's size: 255 inside the outline, else 0."""
    return encode_png(np.where(np.asarray(mask, np.bool_), 255, 0).astype(np.uint8))


def encode_png(picture: NDArray[np.uint8] | Image.Image) -> bytes:
    """PNG of gray `[rows, columns]`, of color `[rows, columns, 3]`, or of a Pillow image."""
    image: Any = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=6)
    return out.getvalue()
