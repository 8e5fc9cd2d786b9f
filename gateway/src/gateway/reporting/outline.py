"""The outline of a mask and the calipers across it, painted on a canvas."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from gateway.reporting.canvas import Canvas, Field, Window
from gateway.reporting.colors import DIAMETER, HALO, OUTLINE, Color
from gateway.reporting.measure import Axis

_FILL_ALPHA = 0.1
_TICK_PX = 5.0


def draw_outline(
    canvas: Canvas, inside: NDArray[np.bool_], box: tuple[int, int, int, int], color: Color = OUTLINE
) -> None:
    """Paint the border of `inside [rows, columns]`, which lies in `box` (top, left, bottom, right; end exclusive)."""
    top, left, bottom, right = box
    (y0, x0), (y1, x1) = canvas.scale.place(top, left), canvas.scale.place(bottom, right)
    window = canvas.window(y0, x0, y1, x1, 8 * canvas.unit_px + max(canvas.scale.rows, canvas.scale.columns))
    depth = _signed_depth(canvas, inside, window)
    unit = canvas.unit_px
    canvas.blend(color, np.clip(depth + 0.5, 0, 1) * np.float32(_FILL_ALPHA), window)
    distance: Field = np.abs(depth).astype(np.float32)
    canvas.blend(HALO, np.clip(2.0 * unit + 0.5 - distance, 0, 1) * np.float32(0.55), window)
    canvas.blend(color, np.clip(0.9 * unit + 0.5 - distance, 0, 1), window)


def draw_caliper(canvas: Canvas, axis: Axis) -> None:
    """Paint one diameter, between two positions of the input (row, column), with a tick at each end."""
    (y0, x0), (y1, x1) = (canvas.scale.place(*end) for end in axis)
    canvas.line((y0, x0), (y1, x1), DIAMETER, 1.3)
    length = max(float(np.hypot(y1 - y0, x1 - x0)), 1e-6)
    tick = _TICK_PX * canvas.unit_px / length
    dy, dx = (x1 - x0) * tick, -(y1 - y0) * tick
    for y, x in ((y0, x0), (y1, x1)):
        canvas.line((y - dy, x - dx), (y + dy, x + dx), DIAMETER, 1.3)


def _signed_depth(canvas: Canvas, inside: NDArray[np.bool_], window: Window) -> Field:
    """Canvas pixels to the border, positive inside: a smooth field divided by its own slope."""
    plane = Image.fromarray(np.where(inside, 255, 0).astype(np.uint8))
    size = (canvas.width, canvas.height)
    larger = plane.resize(size, Image.Resampling.BILINEAR if canvas.scale.rows > 1.5 else Image.Resampling.BOX)
    # Each axis by its own scale: the stairs of thick slices are as long as a slice is thick.
    soft = larger.filter(
        ImageFilter.GaussianBlur((max(0.8, 0.45 * canvas.scale.columns), max(0.8, 0.45 * canvas.scale.rows)))
    )
    field = np.asarray(soft, np.float32)[window] / 255
    slope_y, slope_x = np.gradient(field)
    slope = np.maximum(np.hypot(slope_y, slope_x), 1e-3)
    depth: Field = ((field - 0.5) / slope).astype(np.float32)
    return depth
