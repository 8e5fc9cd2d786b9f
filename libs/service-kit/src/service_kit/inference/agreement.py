"""Whether findings agree: where a tumor lies in the head, and how much of a heat map falls on a mask.

Serving judges with these measures, and `model-export judge-limits` fits the limits with them: one function for both.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from service_kit.inference.preprocessing import Pixels, Preprocessing

Box = tuple[int, int, int, int]
"""(top, left, height, width) in pixels."""
Place = tuple[float, float]
"""(row, column) as shares of the head's box: 0 is its top or left edge, 1 its bottom or right edge."""
Extent = tuple[float, float, float, float]
"""(top, left, height, width) of a heat map in the picture's pixels; it may reach outside the picture."""

# The box does not depend on the grid's size, which the model wants to know all the same.
_TIGHT = Preprocessing(size=192, margin=0.0)
_BRIGHT = 0.12
_REACH = 1 / 12


def head_box(pixels: Pixels) -> Box:
    """The box of the head in `pixels [rows, columns]`, without a margin; the whole picture where none is found."""
    return _TIGHT.place(pixels).source


def head_area_px(pixels: Pixels) -> int:
    """How many pixels of `[rows, columns]` are brighter than the background (an eighth of the range)."""
    low, high = float(pixels.min()), float(np.percentile(pixels, 99.0))
    return int(np.count_nonzero(pixels > low + _BRIGHT * (high - low)))


def mask_place(mask: NDArray[np.bool_], head: Box) -> Place | None:
    """Where the centroid of `mask [rows, columns]` lies in the head; None for an empty mask."""
    by_row, by_column = mask.sum(axis=1), mask.sum(axis=0)
    return _centroid(by_row, by_column, np.arange(by_row.size) + 0.5, np.arange(by_column.size) + 0.5, head)


def heat_place(values: NDArray[np.float32], extent: Extent, head: Box) -> Place | None:
    """Where the centroid of a heat map `values [h, w]` lies in the head; None where it is zero everywhere."""
    top, left, height, width = extent
    rows, columns = values.shape
    centers_down = top + (np.arange(rows) + 0.5) * height / rows
    centers_right = left + (np.arange(columns) + 0.5) * width / columns
    return _centroid(values.sum(axis=1), values.sum(axis=0), centers_down, centers_right, head)


def heat_share(values: NDArray[np.float32], extent: Extent, mask: NDArray[np.bool_]) -> float:
    """The share of a heat map's sum on the dilated mask, 0..1; 0 for a map that is zero everywhere.

    `values [h, w]` >= 0 lies at `extent`. A position counts as on `mask [rows, columns]` when it touches it, or lies
    within a twelfth of the map's side of one that does (at least one position): a map is no finer than that.
    """
    total = float(values.sum())
    if total <= 0:
        return 0.0
    rows, columns = values.shape
    touched = _touched(mask, extent, rows, columns)
    near = _dilate(touched, max(1, round(rows * _REACH)), max(1, round(columns * _REACH)))
    return float(values[near].sum()) / total


def _centroid(
    by_row: NDArray[np.generic],
    by_column: NDArray[np.generic],
    down: NDArray[np.float64],
    right: NDArray[np.float64],
    head: Box,
) -> Place | None:
    weights_down, weights_right = np.asarray(by_row, np.float64), np.asarray(by_column, np.float64)
    total = float(weights_down.sum())
    if total <= 0:
        return None
    top, left, height, width = head
    row, column = float(weights_down @ down) / total, float(weights_right @ right) / total
    return (row - top) / height, (column - left) / width


def _touched(mask: NDArray[np.bool_], extent: Extent, rows: int, columns: int) -> NDArray[np.bool_]:
    """Which positions `[rows, columns]` of a map at `extent` hold the center of a pixel of the mask."""
    top, left, height, width = extent
    down = _edges(top, height, rows, mask.shape[0])
    right = _edges(left, width, columns, mask.shape[1])
    strips = np.stack([mask[start:end].any(axis=0) for start, end in pairwise(down)])
    found = [strips[:, start:end].any(axis=1) for start, end in pairwise(right)]
    return np.stack(found, axis=1)


def _edges(start: float, length: float, cells: int, limit: int) -> list[int]:
    """First pixel whose center lies in each cell, and the one after the last cell; cut to the picture."""
    return [min(limit, max(0, math.ceil(start + number * length / cells - 0.5))) for number in range(cells + 1)]


def _dilate(mask: NDArray[np.bool_], down: int, right: int) -> NDArray[np.bool_]:
    padded = np.pad(mask, ((down, down), (right, right)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * down + 1, 2 * right + 1))
    return np.asarray(windows.any(axis=(2, 3)), np.bool_)
