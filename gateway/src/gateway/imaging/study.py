"""A study as the pipeline sees it: pixels and geometry, nothing of the patient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service_kit.contracts.classification import ViewLabel
from service_kit.contracts.common import Sequence

Pixels = NDArray[np.uint8] | NDArray[np.float32]
Format = Literal["png", "jpeg", "webp", "tiff", "bmp", "dicom"]

CLASSIFIED_FIRST: tuple[Sequence, ...] = ("t1ce", "t1", "flair", "t2")


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded file: `pixels [rows, columns]`, uint8 as stored in 8 bits, else float32.

    `spacing_mm` is (between rows, between columns). `view` and `sequence` are None where the file does not say;
    `orientation` and `body_part` are as in `Study`.
    """

    format: Format
    pixels: Pixels
    spacing_mm: tuple[float, float] | None = None
    view: ViewLabel | None = None
    sequence: Sequence | None = None
    warnings: tuple[str, ...] = ()
    orientation: tuple[float, ...] | None = None
    body_part: str | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """What one analysis is about.

    Attributes:
        format: the format of the file that holds the primary sequence.
        sha256: hex digest of the file; of the sorted lines "<sequence> <digest>" where there are several.
        sequences: at least one; uint8 or float32 `[rows, columns]`, all of one shape.
        spacing_mm: (between rows, between columns), None where no file says.
        view: from the DICOM orientation, else None.
        warnings: what a reader of the result should know about the input.
        body_part: what the DICOM header names where that is not the head; a code, "another one", or None.
        orientation: six cosines, the patient's directions in which columns and rows count; None where no file says.
    """

    kind: Literal["slice"]
    format: Format
    sha256: str
    sequences: Mapping[Sequence, Pixels]
    spacing_mm: tuple[float, float] | None
    view: ViewLabel | None
    warnings: tuple[str, ...] = ()
    orientation: tuple[float, ...] | None = None
    body_part: str | None = None

    @property
    def primary_sequence(self) -> Sequence:
        """The sequence that is classified."""
        return next(name for name in CLASSIFIED_FIRST if name in self.sequences)

    @property
    def primary(self) -> Pixels:
        """The pixels that are classified, `[rows, columns]`."""
        return self.sequences[self.primary_sequence]

    @property
    def rows(self) -> int:
        """Height in pixels."""
        return int(self.primary.shape[0])

    @property
    def columns(self) -> int:
        """Width in pixels."""
        return int(self.primary.shape[1])
