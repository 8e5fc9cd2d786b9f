"""A study of volumes as the pipeline sees it: voxels and geometry, nothing of the patient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid, Matrix
from gateway.imaging.study import CLASSIFIED_FIRST
from gateway.slices import SliceStack, stack_across
from service_kit.contracts.classification import ViewLabel
from service_kit.contracts.common import Sequence

Voxels = NDArray[np.uint8] | NDArray[np.int16] | NDArray[np.float32]
_UPRIGHT_DEG: Final = 40.0
VolumeFormat = Literal["nifti", "dicom"]


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """`voxels [i, j, k]` (uint8, int16 or float32; finite) on `grid`. `sequence` is None while nobody has said it."""

    voxels: Voxels
    grid: Grid
    sequence: Sequence | None = None

    @property
    def affine(self) -> Matrix:
        """Voxel index -> RAS mm, `[4, 4]`."""
        return self.grid.affine

    @property
    def canonical(self) -> NDArray[Any]:
        """The voxels as a view `[x, y, z]` in the closest RAS orientation; `grid.turn.undo` brings a mask back."""
        return self.grid.turn.apply(self.voxels)


@dataclass(frozen=True, slots=True, eq=False)
class VolumeStudy:
    """What one analysis of a series or a volume is about.

    Attributes:
        kind: "series" (DICOM) or "volume" (NIfTI).
        format: the format of the first input.
        sha256: hex digest of the file; of the sorted lines "<name> <digest>" where there are several.
        sequences: at least one, all on `grid`.
        grid: the first input's: masks go back to it.
        warnings: what a reader of the result should know about the input.
        body_part: as in `Study`.
        resampled: the sequences that came on another grid.
    """

    kind: Literal["series", "volume"]
    format: VolumeFormat
    sha256: str
    sequences: Mapping[Sequence, Volume]
    grid: Grid
    warnings: tuple[str, ...] = ()
    body_part: str | None = None
    resampled: tuple[Sequence, ...] = ()

    @property
    def stack(self) -> SliceStack:
        """The slices as they were taken: a series' own; of a volume those across its thick axis, else its third."""
        thick = self.grid.thick_axis
        return stack_across(self.grid, 2 if self.kind == "series" or thick is None else thick)

    @property
    def view(self) -> ViewLabel | None:
        """The plane of `stack`; None where the file does not say how it lies, or it lies between planes."""
        return self.stack.plane if self.grid.oriented and self.grid.oblique_deg <= _UPRIGHT_DEG else None

    @property
    def primary_sequence(self) -> Sequence:
        """The sequence that is classified."""
        return next(name for name in CLASSIFIED_FIRST if name in self.sequences)

    @property
    def primary(self) -> Volume:
        """The volume that is classified."""
        return self.sequences[self.primary_sequence]
