"""The scan with the tumor's outline and its two diameters."""

import numpy as np

from gateway.reporting.canvas import Canvas, Entry, Legend
from gateway.reporting.colors import DIAMETER, OUTLINE
from gateway.reporting.measure import Measurements, measure
from gateway.reporting.outline import draw_caliper, draw_outline
from gateway.reporting.pictures import Mask, Pixels, encode_png

TUMOR_NAMES = {
    "glioma": "Glioma",
    "meningioma": "Meningioma",
    "pituitary": "Pituitary tumor",
    "no_tumor": "No tumor",
    "tumor": "Tumor",
}


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
        draw_outline(canvas, inside, found.bounding_box)
        _diameters(canvas, found)
    return encode_png(canvas.finish(_legend(found, label, probability)))


def _diameters(canvas: Canvas, found: Measurements) -> None:
    pairs = (
        (found.longest_axis, found.longest_diameter_px, found.longest_diameter_mm),
        (found.perpendicular_axis, found.perpendicular_diameter_px, found.perpendicular_diameter_mm),
    )
    for axis, length_px, length_mm in pairs:
        if axis is None or length_px < 3:
            continue
        draw_caliper(canvas, axis)
        end = max(axis, key=lambda point: point[1])
        y, x = canvas.scale.place(*end)
        text = f"{length_mm:.0f} mm" if length_mm is not None else f"{length_px:.0f} px"
        canvas.label((y, x + 38 * canvas.unit_px), text, DIAMETER)


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
