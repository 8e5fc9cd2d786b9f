"""From sequences of a volume to a 3D model's input and back. One function for training and for serving."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Voxels = NDArray[Any]
Triple = tuple[int, int, int]
VoxelSize = tuple[float, float, float]
_FOREGROUND_SHARE = 0.02
_SAMPLED = 3
"""Percentiles are taken of every third voxel along each axis."""


@dataclass(frozen=True, slots=True)
class VolumePlacement:
    """Where a volume's voxels lie on the model's grid.

    `shape` is the volume's, `start` and `stop` its foreground's box, `grid` that box's shape on the model's grid and
    `ratio` the grid's spacing over the volume's, by axis.
    """

    shape: Triple
    start: Triple
    stop: Triple
    grid: Triple
    ratio: VoxelSize

    @property
    def _inner(self) -> Triple:
        return _triple([stop - start for start, stop in zip(self.start, self.stop, strict=True)])

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The foreground's box as an index into the volume."""
        return (
            slice(self.start[0], self.stop[0]),
            slice(self.start[1], self.stop[1]),
            slice(self.start[2], self.stop[2]),
        )

    def restore(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a map on the model's grid back to the volume's voxels `shape`; zero outside the foreground's box."""
        out = np.zeros(self.shape, np.float32)
        out[self.box] = self.restore_box(grid)
        return out

    def restore_box(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `restore`, of the foreground's box alone: a head fills a third of a usual volume."""
        back = (1 / self.ratio[0], 1 / self.ratio[1], 1 / self.ratio[2])
        return resample(grid, self._inner, back)


class VolumePreprocessing(BaseModel):
    """What a 3D model wants of a volume: the foreground's box, on cubic voxels, each sequence standardized.

    Volumes are `[x, y, z]`, oriented to the nearest of RAS+, on one grid, with the skull taken off (what is not brain
    has one value). A sequence's mean and standard deviation over the foreground become 0 and 1; what is outside the
    foreground, and a sequence that is missing, is 0 everywhere.

    `step` and `mirrored` are how the window slides by default (`tiling.slide`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    patch_voxels: Annotated[int, Field(ge=16, le=256, description="side of the model's input")]
    spacing_mm: Annotated[float, Field(gt=0, le=10)] = 1.0
    clip_sd: Annotated[float, Field(gt=0)] = 5.0
    step: Annotated[float, Field(gt=0, le=1)] = 0.5
    mirrored: tuple[Annotated[int, Field(ge=0, le=2)], ...] = ()

    def place(self, foreground: NDArray[np.bool_], voxel_mm: VoxelSize) -> VolumePlacement:
        """The box of `foreground [x, y, z]` and its place on the grid; all of the volume where there is none."""
        start, stop, grid, ratio = [], [], [], []
        for axis, (size, of_voxel) in enumerate(zip(foreground.shape, voxel_mm, strict=True)):
            others = tuple(other for other in range(3) if other != axis)
            found = np.flatnonzero(foreground.any(axis=others))
            first, last = (int(found[0]), int(found[-1]) + 1) if found.size else (0, size)
            start.append(first)
            stop.append(last)
            ratio.append(self.spacing_mm / of_voxel)
            grid.append(max(1, round((last - first) / ratio[-1])))
        return VolumePlacement(_triple(foreground.shape), _triple(start), _triple(stop), _triple(grid), tuple(ratio))  # type: ignore[arg-type]

    def apply(
        self, sequences: Mapping[str, Voxels], order: Sequence[str], voxel_mm: VoxelSize
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], VolumePlacement]:
        """The input `[len(order), *grid]`, presence flags `[len(order)]` (1 or 0), and where it lies.

        Args:
            sequences: by name, `[x, y, z]`, one shape; any of `order` may be missing.
            order: the model's channels.
            voxel_mm: the volume's voxel sizes along x, y, z.

        Raises:
            ValueError: no sequence of `order` is there, or two differ in shape.
        """
        present = {name: sequences[name] for name in order if name in sequences}
        if not present:
            raise ValueError(f"none of {', '.join(order)} is there")
        if len({voxels.shape for voxels in present.values()}) > 1:
            raise ValueError("the sequences are not on one grid")
        first, *others = present.values()
        foreground = foreground_of(first)
        for voxels in others:
            foreground |= foreground_of(voxels)
        placement = self.place(foreground, voxel_mm)
        inside = foreground[placement.box]
        volume = np.zeros((len(order), *placement.grid), np.float32)
        for channel, name in enumerate(order):
            if name in present:
                standard = self._standardize(present[name][placement.box], inside)
                volume[channel] = resample(standard, placement.grid, placement.ratio)
        return volume, np.array([name in present for name in order], np.float32), placement

    def _standardize(self, voxels: Voxels, inside: NDArray[np.bool_]) -> NDArray[np.float32]:
        found = voxels.astype(np.float32)
        brain = found[inside]
        if not brain.size:
            return np.zeros_like(found)
        mean, deviation = float(brain.mean(dtype=np.float64)), float(brain.std(dtype=np.float64))
        # In place: a volume of every sequence is held beside this one.
        found -= np.float32(mean)
        found /= np.float32(max(deviation, 1e-6))
        np.clip(found, -self.clip_sd, self.clip_sd, out=found)
        found[~inside] = 0
        return found


def foreground_of(voxels: Voxels) -> NDArray[np.bool_]:
    """What differs from the background, which is the median of the volume's faces, by 2 % of the range."""
    faces = [voxels.take(end, axis).ravel() for axis in range(3) for end in (0, -1)]
    background = float(np.median(np.concatenate(faces)))
    low, high = np.percentile(voxels[::_SAMPLED, ::_SAMPLED, ::_SAMPLED], (0.5, 99.5))
    least = _FOREGROUND_SHARE * (high - low)
    found = np.empty(voxels.shape, np.bool_)
    # Plane by plane: nothing as large as the volume is made but the answer.
    for plane, answer in zip(voxels, found, strict=True):
        np.greater(np.abs(plane.astype(np.float32) - background), least, out=answer)
    return found


def resample(voxels: NDArray[np.float32], shape: Triple, ratio: VoxelSize) -> NDArray[np.float32]:
    """Trilinear resampling to `shape`, an axis after the other; what is shrunk is averaged.

    `ratio` is the new spacing over the old one. The grids share their lower corner, not the center of their first
    voxel: voxel `i` has its center at `(i + .5) * ratio - .5` of the old voxels.
    """
    for axis in range(3):
        if voxels.shape[axis] == shape[axis] and abs(ratio[axis] - 1) < 1e-6:
            continue
        weights = _weights(voxels.shape[axis], shape[axis], ratio[axis])
        voxels = np.moveaxis(np.tensordot(weights, voxels, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(voxels, np.float32)


def _weights(old: int, new: int, ratio: float) -> NDArray[np.float32]:
    """How much of each of `old` voxels goes into each of `new`: `[new, old]`, rows sum to 1."""
    centers = np.clip((np.arange(new) + 0.5) * ratio - 0.5, 0, old - 1)
    distance = np.abs(centers[:, None] - np.arange(old)[None, :]) / max(1.0, ratio)
    weights = np.maximum(0.0, 1.0 - distance)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _triple(values: Sequence[int]) -> Triple:
    x, y, z = values
    return int(x), int(y), int(z)
