"""The scan with the evidence that the classifier saw, as a color map that leaves the anatomy visible."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gateway.reporting.canvas import Canvas, Entry, Field, Legend, Scale
from gateway.reporting.colors import inferno
from gateway.reporting.overlay import TUMOR_NAMES
from gateway.reporting.pictures import Pixels, encode_png

Extent = tuple[float, float, float, float]
"""(top, left, height, width) of the map in the picture's pixels; it may reach outside the picture."""

_STRONGEST_ALPHA = 0.62
_FROM, _TO = 0.12, 0.65


def render_heatmap(
    pixels: Pixels,
    values: NDArray[np.float32],
    extent: Extent,
    *,
    label: str,
    spacing_mm: tuple[float, float] | None = None,
) -> bytes:
    """PNG of `pixels [rows, columns]` under the map `values [h, w]` in 0..1, which lies at `extent`.

    `label` is the class that the map explains. Weak evidence is transparent.
    """
    canvas = Canvas(pixels, spacing_mm)
    canvas.scale_bar()
    strength = spread(values, extent, (canvas.height, canvas.width), canvas.scale)
    ramp = np.clip((strength - _FROM) / (_TO - _FROM), 0, 1)
    smooth = ramp * ramp * (3 - 2 * ramp)
    canvas.blend(inferno(0.15 + 0.8 * strength), smooth * np.float32(_STRONGEST_ALPHA))
    return encode_png(canvas.finish(_legend(label, empty=not values.any())))


def render_saliency(values: NDArray[np.float32], extent: Extent, size: tuple[int, int]) -> bytes:
    """The map alone, for viewers that color it: 8-bit gray PNG of `size` (rows, columns), one pixel a pixel of the
    picture, 255 = its maximum.
    """
    strength = spread(values, extent, size, Scale(1.0, 1.0))
    return encode_png(np.rint(strength * 255).astype(np.uint8))


def spread(values: NDArray[np.float32], extent: Extent, size: tuple[int, int], scale: Scale) -> Field:
    """The map on a grid of `size` (rows, columns) that shows the picture at `scale`: 0..1, 0 outside its extent."""
    top, left, height, width = extent
    rows, columns = values.shape
    # A border of the map's own edge values keeps the interpolation from darkening the rim.
    padded = Image.fromarray(np.pad(np.asarray(values, np.float32), 2, mode="edge"))
    per_y, per_x = rows / height, columns / width
    step_y, step_x = per_y / scale.rows, per_x / scale.columns
    matrix = (step_x, 0.0, 2 - left * per_x, 0.0, step_y, 2 - top * per_y)
    plane = padded.transform(size[::-1], Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    y, x = np.ogrid[0 : size[0], 0 : size[1]]
    v, u = (y + 0.5) / scale.rows, (x + 0.5) / scale.columns
    within = (v >= top) & (v <= top + height) & (u >= left) & (u <= left + width)
    return np.where(within, np.clip(np.asarray(plane, np.float32), 0, 1), 0).astype(np.float32)


def _legend(label: str, *, empty: bool) -> Legend:
    name = "a tumor" if label == "tumor" else TUMOR_NAMES.get(label, label).lower()
    if empty:
        return Legend((Entry(None, f"No evidence for {name} anywhere in the picture"),))
    ramp = inferno(0.15 + 0.8 * np.linspace(0, 1, 64, dtype=np.float32))
    return Legend((Entry(ramp, f"Evidence for {name}"), Entry(None, "", "Class activation map, 1 = its maximum")))
