"""From pixels to a model's input and back. One function for training and for serving, so that they cannot differ.

Pillow resizes: OpenCV would double the size of the services' images (decision record 8).
"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

Pixels = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture's pixels lie on the model's grid: the head's box in the picture, and that box on the grid.

    All four-tuples are `(top, left, height, width)` in pixels.
    """

    rows: int
    columns: int
    source: tuple[int, int, int, int]
    target: tuple[int, int, int, int]

    def restore(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a model-grid map `[s, s]` back to the picture's grid `[rows, columns]`; zero outside the head's box."""
        top, left, height, width = self.target
        inner = plane[top : top + height, left : left + width]
        y, x, h, w = self.source
        out = np.zeros((self.rows, self.columns), np.float32)
        out[y : y + h, x : x + w] = _resize(inner, h, w)
        return out


class Preprocessing(BaseModel):
    """What a model wants of a picture: the head's box, stretched to 8 bits, letterboxed to `size` x `size`.

    Windowing maps the `lower_percentile` to 0 and the `upper_percentile` to 255, so that an 8-bit picture and the
    12-bit DICOM that it was made from look alike to the model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Annotated[int, Field(ge=32, le=1024)]
    crop_head: bool = True
    margin: Annotated[float, Field(ge=0, le=0.5)] = 0.03
    lower_percentile: Annotated[float, Field(ge=0, lt=50)] = 0.5
    upper_percentile: Annotated[float, Field(gt=50, le=100)] = 99.5

    def place(self, pixels: Pixels) -> Placement:
        """Find the head's box in `pixels [rows, columns]` and its place on the grid."""
        rows, columns = pixels.shape
        source = _head_box(pixels, self.margin) if self.crop_head else (0, 0, rows, columns)
        scale = self.size / max(source[2], source[3])
        height = min(self.size, max(1, round(source[2] * scale)))
        width = min(self.size, max(1, round(source[3] * scale)))
        target = ((self.size - height) // 2, (self.size - width) // 2, height, width)
        return Placement(rows, columns, source, target)

    def apply(self, pixels: Pixels, placement: Placement | None = None) -> tuple[NDArray[np.uint8], Placement]:
        """Pixels `[rows, columns]` -> `uint8 [size, size]` and where they lie there."""
        placement = placement or self.place(pixels)
        y, x, h, w = placement.source
        top, left, height, width = placement.target
        resized = _resize(pixels[y : y + h, x : x + w], height, width)
        grid = np.zeros((self.size, self.size), np.uint8)
        grid[top : top + height, left : left + width] = self._window(resized)
        return grid, placement

    def _window(self, pixels: Pixels) -> NDArray[np.uint8]:
        low, high = _percentiles(pixels, self.lower_percentile, self.upper_percentile)
        scale = np.float32(255.0 / max(high - low, 1e-6))
        if pixels.dtype == np.uint8:
            levels = (np.arange(256, dtype=np.float32) - np.float32(low)) * scale
            table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
            return np.asarray(table[pixels], dtype=np.uint8)
        stretched: NDArray[np.float32] = (pixels - np.float32(low)) * scale
        return np.asarray(np.clip(np.rint(stretched), 0, 255), dtype=np.uint8)


def _resize(pixels: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Resample `[rows, columns]` (uint8 or float32). Hamming averages what is shrunk, as an area filter does."""
    shrinks = height < pixels.shape[0] or width < pixels.shape[1]
    kernel = Image.Resampling.HAMMING if shrinks else Image.Resampling.BILINEAR
    mode = "L" if pixels.dtype == np.uint8 else "F"
    # Not `fromarray`, which copies the pixels once more.
    size = (pixels.shape[1], pixels.shape[0])
    source = Image.frombuffer(mode, size, np.ascontiguousarray(pixels), "raw", mode, 0, 1)
    return np.asarray(source.resize((width, height), kernel))


def _percentiles(pixels: Pixels, *ranks: float) -> list[float]:
    """`np.percentile`, by the histogram where there are only 256 levels: the same numbers at a tenth of the cost."""
    if pixels.dtype != np.uint8:
        return [float(value) for value in np.percentile(pixels, ranks)]
    below = np.cumsum(np.bincount(pixels.ravel(), minlength=256))
    values = []
    for rank in ranks:
        position = rank / 100 * (pixels.size - 1)
        low, high = np.searchsorted(below, [np.floor(position), np.ceil(position)], side="right")
        values.append(float(low + (high - low) * (position % 1)))
    return values


def _head_box(pixels: Pixels, margin: float) -> tuple[int, int, int, int]:
    """The box of what is brighter than the background: a row or column counts when 2 % of it is."""
    rows, columns = pixels.shape
    step = max(1, min(rows, columns) // 256)
    small = pixels[::step, ::step]
    low, high = float(small.min()), _percentiles(small, 99.0)[0]
    if high <= low:
        return (0, 0, rows, columns)
    bright = small > low + 0.12 * (high - low)
    in_rows = np.flatnonzero(bright.mean(axis=1) > 0.02)
    in_columns = np.flatnonzero(bright.mean(axis=0) > 0.02)
    if in_rows.size < 8 or in_columns.size < 8:
        return (0, 0, rows, columns)
    top, bottom = in_rows[0] * step, min(rows, (in_rows[-1] + 1) * step)
    left, right = in_columns[0] * step, min(columns, (in_columns[-1] + 1) * step)
    pad = round(margin * max(bottom - top, right - left))
    top, left = max(0, top - pad), max(0, left - pad)
    bottom, right = min(rows, bottom + pad), min(columns, right + pad)
    return (int(top), int(left), int(bottom - top), int(right - left))
