"""The scan with the tumor's outline and its two diameters."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from gateway.reporting.canvas import Canvas, Entry, Field, Legend, Window
from gateway.reporting.colors import DIAMETER, HALO, OUTLINE
from gateway.reporting.measure import Axis, Measurements, measure
from gateway.reporting.pictures import Mask, Pixels, encode_png

TUMOR_NAMES = {
    "glioma": "Glioma",
    "meningioma": "Meningioma",
    "pituitary": "Pituitary tumor",
    "no_tumor": "No tumor",
    "tumor": "Tumor",
}

_FILL_ALPHA = 0.1
_TICK_PX = 5.0


def render_overlay(
    pixels: Pixels,
    mask: Mask,
    *,
    spacing_mm: tuple[float, float] | None = None,
    label: str | None = None,
    probability: float | None = None,
) -> bytes:
    """PNG of `pixels [rows, columns]` with the outline of `mask` (same shape), a legend and the disclaimer.

    Small inputs are enlarged, uneven spacing is drawn true to size. `label` and `probability` are the tumor's.
    """
    inside = np.asarray(mask, np.bool_)
    found = measure(inside, spacing_mm)
    canvas = Canvas(pixels, spacing_mm)
    canvas.scale_bar()
    if found.area_px:
        _outline(canvas, inside, found.bounding_box)
        _diameters(canvas, found)
    return encode_png(canvas.finish(_legend(found, label, probability)))


def _outline(canvas: Canvas, inside: NDArray[np.bool_], box: tuple[int, int, int, int]) -> None:
    top, left, bottom, right = box
    (y0, x0), (y1, x1) = canvas.scale.place(top, left), canvas.scale.place(bottom, right)
    window = canvas.window(y0, x0, y1, x1, 8 * canvas.unit_px + max(canvas.scale.rows, canvas.scale.columns))
    depth = _signed_depth(canvas, inside, window)
    unit = canvas.unit_px
    canvas.blend(OUTLINE, np.clip(depth + 0.5, 0, 1) * np.float32(_FILL_ALPHA), window)
    distance = np.abs(depth)
    canvas.blend(HALO, np.clip(2.0 * unit + 0.5 - distance, 0, 1) * np.float32(0.55), window)
    canvas.blend(OUTLINE, np.clip(0.9 * unit + 0.5 - distance, 0, 1), window)


def _signed_depth(canvas: Canvas, inside: NDArray[np.bool_], window: Window) -> Field:
    """Canvas pixels to the border, positive inside: a smooth field divided by its own slope."""
    plane = Image.fromarray(np.where(inside, 255, 0).astype(np.uint8))
    size = (canvas.width, canvas.height)
    larger = plane.resize(size, Image.Resampling.BILINEAR if canvas.scale.rows > 1.5 else Image.Resampling.BOX)
    soft = larger.filter(ImageFilter.GaussianBlur(max(0.8, 0.45 * min(canvas.scale.rows, canvas.scale.columns))))
    field = np.asarray(soft, np.float32)[window] / 255
    slope_y, slope_x = np.gradient(field)
    slope = np.maximum(np.hypot(slope_y, slope_x), 1e-3)
    depth: Field = ((field - 0.5) / slope).astype(np.float32)
    return depth


def _diameters(canvas: Canvas, found: Measurements) -> None:
    pairs = (
        (found.longest_axis, found.longest_diameter_px, found.longest_diameter_mm),
        (found.perpendicular_axis, found.perpendicular_diameter_px, found.perpendicular_diameter_mm),
    )
    for axis, length_px, length_mm in pairs:
        if axis is None or length_px < 3:
            continue
        _caliper(canvas, axis)
        end = max(axis, key=lambda point: point[1])
        y, x = canvas.scale.place(*end)
        text = f"{length_mm:.0f} mm" if length_mm is not None else f"{length_px:.0f} px"
        canvas.label((y, x + 38 * canvas.unit_px), text, DIAMETER)


def _caliper(canvas: Canvas, axis: Axis) -> None:
    (y0, x0), (y1, x1) = (canvas.scale.place(*end) for end in axis)
    canvas.line((y0, x0), (y1, x1), DIAMETER, 1.3)
    length = max(float(np.hypot(y1 - y0, x1 - x0)), 1e-6)
    tick = _TICK_PX * canvas.unit_px / length
    dy, dx = (x1 - x0) * tick, -(y1 - y0) * tick
    for y, x in ((y0, x0), (y1, x1)):
        canvas.line((y - dy, x - dx), (y + dy, x + dx), DIAMETER, 1.3)


def _legend(found: Measurements, label: str | None, probability: float | None) -> Legend:
    name = TUMOR_NAMES.get(label, label) if label else None
    odds = "" if name is None or probability is None else f"{name}, probability {probability:.0%}"
    if found.area_px == 0:
        return Legend((Entry(None, "No tumor outlined", odds),))
    area = f"{found.area_mm2:.0f} mm²" if found.area_mm2 is not None else f"{found.area_px} px"
    parts = "" if found.components == 1 else f" in {found.components} parts"
    if found.longest_diameter_mm is not None and found.perpendicular_diameter_mm is not None:
        lengths = f"{found.longest_diameter_mm:.0f} x {found.perpendicular_diameter_mm:.0f} mm"
    else:
        lengths = f"{found.longest_diameter_px:.0f} x {found.perpendicular_diameter_px:.0f} px"
    return Legend(
        (
            Entry(OUTLINE, f"Outline, {area}{parts}", odds),
            Entry(DIAMETER, lengths, "longest diameter, and the longest at right angles to it"),
        )
    )
