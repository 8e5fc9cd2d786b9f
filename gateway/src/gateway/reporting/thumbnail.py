"""The picture of an analysis in a list: small, with its outline, a few kilobytes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gateway.reporting.canvas import Canvas, Scale
from gateway.reporting.colors import OUTLINE
from gateway.reporting.measure import extent
from gateway.reporting.outline import draw_outline
from gateway.reporting.pictures import Mask, Pixels, encode_png

LONG_SIDE_PX: Final = 160
_GRAYS: Final = 64
_TINTS: Final = 4
"""From gray to the outline's color. Grays times tints fill a palette: a third of the bytes of RGB."""


def render_thumbnail(pixels: Pixels, mask: Mask | None = None, spacing_mm: tuple[float, float] | None = None) -> bytes:
    """PNG of `pixels [rows, columns]`, true to size, its longer side 160 pixels, with the outline of `mask`.

    Paletted, without legend or disclaimer: it leads to the analysis, which has them.
    """
    canvas = Canvas(pixels, spacing_mm, _scale(pixels, spacing_mm), unit_px=1.0)
    if mask is not None:
        inside = np.asarray(mask, np.bool_)
        area_px, box = extent(inside)
        if area_px:
            draw_outline(canvas, inside, box)
    return encode_png(_paletted(np.asarray(canvas.picture(), np.float32)))


def _scale(pixels: Pixels, spacing_mm: tuple[float, float] | None) -> Scale:
    tall, wide = spacing_mm or (1.0, 1.0)
    zoom = LONG_SIDE_PX / max(pixels.shape[0] * tall, pixels.shape[1] * wide)
    return Scale(tall * zoom, wide * zoom)


def _paletted(color: NDArray[np.float32]) -> Image.Image:
    """`color [rows, columns, 3]`, mixtures of gray and the outline's color, on a palette of such mixtures."""
    red, green, blue = np.moveaxis(color, -1, 0)
    low, _, high = OUTLINE
    # Gray has as much red as blue; what blue has more is the outline's.
    tint = np.clip((blue - red) / (high - low), 0, 1)
    gray = (red + green + blue - tint * sum(OUTLINE)) / (3 * np.maximum(1 - tint, 1 / 255))
    tints = np.rint(tint * (_TINTS - 1))
    index = tints * _GRAYS + np.rint(np.clip(gray, 0, 255) * ((_GRAYS - 1) / 255))
    picture = Image.fromarray(index.astype(np.uint8))
    picture.putpalette(_palette().tobytes())
    return picture


def _palette() -> NDArray[np.uint8]:
    """`[256, 3]`: for each tint all grays."""
    grays = np.linspace(0, 255, _GRAYS)[None, :, None]
    share = np.linspace(0, 1, _TINTS)[:, None, None]
    return np.rint(grays + (np.array(OUTLINE) - grays) * share).astype(np.uint8).reshape(-1, 3)
