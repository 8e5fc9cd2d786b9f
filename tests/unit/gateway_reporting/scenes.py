"""Masks with known measures, and a scan to draw them on."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def ellipse(
    shape: tuple[int, int] = (160, 200),
    *,
    half_axes_mm: tuple[float, float],
    degrees: float = 0.0,
    spacing_mm: tuple[float, float] = (1.0, 1.0),
    center_px: tuple[float, float] | None = None,
) -> NDArray[np.bool_]:
    """An ellipse whose longer axis points `degrees` away from the columns' direction, in millimeters."""
    row, column = center_px or (shape[0] / 2, shape[1] / 2)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    v, u = (y - row) * spacing_mm[0], (x - column) * spacing_mm[1]
    turn = np.deg2rad(degrees)
    along, across = u * np.cos(turn) + v * np.sin(turn), -u * np.sin(turn) + v * np.cos(turn)
    inside: NDArray[np.bool_] = (along / half_axes_mm[0]) ** 2 + (across / half_axes_mm[1]) ** 2 <= 1
    return inside


def scan(rows: int = 160, columns: int = 200) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:rows, 0:columns]
    head = ((y - rows / 2) / (rows * 0.45)) ** 2 + ((x - columns / 2) / (columns * 0.42)) ** 2 < 1
    return np.where(head, 90 + 40 * np.sin(x / 13) * np.cos(y / 11), 0).astype(np.uint8)


def open_png(content: bytes) -> NDArray[Any]:
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        return np.asarray(image)
