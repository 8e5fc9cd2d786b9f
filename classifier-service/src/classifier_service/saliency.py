"""Where a class's evidence lies: the class activation map, made fit to be drawn."""

import numpy as np
from numpy.typing import NDArray

from service_kit.inference.preprocessing import Placement

Extent = tuple[float, float, float, float]


def heat_map(activation: NDArray[np.float32], placement: Placement, size: int) -> NDArray[np.float32]:
    """Class activation map `[h, w]` over the model's grid of `size` -> the evidence for the class, 0..1.

    Evidence against the class counts as none, and so does a cell wholly on the letterbox's bars, which no reader can
    check; 1 is the strongest evidence left, and a map without any is zero everywhere.
    """
    rows, columns = activation.shape
    top, left, height, width = placement.target
    inside_rows = _cells_inside(rows, size, top, height)
    inside_columns = _cells_inside(columns, size, left, width)
    evidence = np.maximum(activation, np.float32(0)) * inside_rows[:, None] * inside_columns[None, :]
    strongest = float(evidence.max())
    return evidence / np.float32(strongest) if strongest > 0 else evidence


def extent(placement: Placement, size: int) -> Extent:
    """Where the model's grid lies in the picture: (top, left, height, width) in its pixels, which may reach outside."""
    y, x, height, width = placement.source
    top, left, grid_height, grid_width = placement.target
    row_scale, column_scale = height / grid_height, width / grid_width
    return (y - top * row_scale, x - left * column_scale, size * row_scale, size * column_scale)


def _cells_inside(cells: int, size: int, start: int, length: int) -> NDArray[np.float32]:
    edges = np.arange(cells + 1) * (size / cells)
    return ((edges[1:] > start) & (edges[:-1] < start + length)).astype(np.float32)
