"""A volume as the slice models see it: slices of one plane, in the radiological convention, each with its geometry."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gateway.findings import Pixels
from gateway.imaging.volume import Volume, VolumeStudy
from gateway.slices import SliceStack
from service_kit.contracts.classification import ViewLabel
from service_kit.contracts.common import Sequence
from service_kit.inference.volume import foreground_of

_MOST_SAMPLED = 12
_HEAD_SHARE = 0.35
"""A slice shows enough of the head where its foreground has this share of the largest slice's."""
_VIEWED = (0.4, 0.5, 0.6)


@dataclass(frozen=True, slots=True, eq=False)
class VolumeSlices:
    """The slices of `study` in the plane of `stack`."""

    study: VolumeStudy
    stack: SliceStack

    @classmethod
    def of(cls, study: VolumeStudy) -> "VolumeSlices":
        """Axial slices where the voxels allow any plane, as all slice models know them; else those that were taken."""
        own = study.stack
        any_plane = study.grid.oriented and study.grid.thick_axis is None
        return cls(study, SliceStack(study.grid, "axial") if any_plane else own)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.stack.shape[0]

    @property
    def spacing_mm(self) -> tuple[float, float]:
        """Between rows, between columns."""
        return self.stack.spacing_mm[1], self.stack.spacing_mm[2]

    @property
    def view(self) -> ViewLabel | None:
        """The plane, where the file says how it lies."""
        return self.stack.plane if self.study.view is not None else None

    @property
    def orientation(self) -> tuple[float, ...] | None:
        """As DICOM's ImageOrientationPatient: where columns and rows count to, left-posterior-superior."""
        if not self.study.grid.oriented:
            return None
        affine = self.stack.affine
        along = [affine[:3, axis] / np.linalg.norm(affine[:3, axis]) * (-1, -1, 1) for axis in (2, 1)]
        return tuple(float(value) for direction in along for value in direction)

    def pixels(self, index: int, sequence: Sequence | None = None) -> Pixels:
        """Slice `index [rows, columns]`, of the sequence that is classified unless another is named."""
        volume = self.study.primary if sequence is None else self.study.sequences[sequence]
        return _plain(volume, self.stack, index)

    def sequences(self, index: int) -> Mapping[Sequence, Pixels]:
        """Slice `index` of every sequence."""
        return {name: _plain(volume, self.stack, index) for name, volume in self.study.sequences.items()}

    def in_the_head(self) -> list[int]:
        """The slices that show enough of the head, from first to last; all where none does."""
        areas = self.stack.take(foreground_of(self.study.primary.voxels)).sum(axis=(1, 2))
        found = np.flatnonzero(areas >= _HEAD_SHARE * max(int(areas.max()), 1))
        return [int(index) for index in found] if areas.max() > 0 else list(range(self.count))


def viewed(within: list[int]) -> list[int]:
    """Three slices in the middle of `within`, by which the plane is told; fewer where there are fewer."""
    return sorted({within[round(share * (len(within) - 1))] for share in _VIEWED})


def sampled(within: list[int]) -> list[int]:
    """At most a dozen slices, evenly spread over `within`."""
    places = np.linspace(0, len(within) - 1, min(len(within), _MOST_SAMPLED))
    return [within[round(float(place))] for place in places]


def _plain(volume: Volume, stack: SliceStack, index: int) -> Pixels:
    """uint8 as it is, else float32: what the services take."""
    taken = stack.take(volume.voxels)[index]
    if taken.dtype == np.uint8:
        return np.ascontiguousarray(taken, np.uint8)
    return np.ascontiguousarray(taken, np.float32)
