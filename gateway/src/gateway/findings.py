"""What an analysis leaves behind, beside its JSON: the pixels it saw, the mask, the heat map."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gateway.schemas import FinishedAnalysis

Pixels = NDArray[np.uint8] | NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Saliency:
    """A coarse heat map, `values [h, w]` float32 in 0..1, for the class `label`.

    `extent` is (top, left, height, width) in the picture's pixels; it may reach outside the picture.
    """

    values: NDArray[np.float32]
    extent: tuple[float, float, float, float]
    label: str


@dataclass(frozen=True, slots=True)
class BareFile:
    """A file that decodes to exactly a picture's pixels and holds nothing else; a fraction of their size."""

    kind: Literal["png", "jpeg"]
    content: bytes


@dataclass(frozen=True, slots=True)
class Findings:
    """An analysis with its arrays: `pixels [rows, columns]` as classified, `mask` of the same shape.

    `file` is the same pixels once more, where there is such a file: cheaper to keep.
    """

    analysis: FinishedAnalysis
    pixels: Pixels
    mask: Mask | None
    saliency: Saliency | None
    file: BareFile | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Stored analyses as JSON documents, newest first; `next_cursor` is None on the last page."""

    documents: tuple[bytes, ...]
    next_cursor: str | None
