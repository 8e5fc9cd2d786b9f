"""Which network outlines a volume, and its answer on the volume's own grid."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.clients.segmenter import SegmentationAnswer
from gateway.clients.volume_outlines import VolumeSegmentationAnswer
from gateway.errors import InvalidOptions
from gateway.imaging.volume import VolumeStudy
from gateway.volume_slices import VolumeSlices
from service_kit.contracts.clinical import ClinicalVector
from service_kit.contracts.common import ModelRef, Sequence
from service_kit.contracts.segmentation import BoundaryBand
from service_kit.errors import Overloaded

ALL_SEQUENCES: Final[frozenset[Sequence]] = frozenset({"t1", "t1ce", "t2", "flair"})
_RETRY_S: Final = 5
_TUMOR: Final = "tumor"
_STRIPPED_SHARE: Final = 0.3
"""Where the skull was taken off, a larger part than this of the voxels has the background's one value."""
OnStep = Callable[[int, int], Awaitable[None]]


class VolumeOutliner(Protocol):
    """The segmenter, as far as volumes need it. `gateway.clients.segmenter` has it over HTTP."""

    async def segment_volume(
        self,
        sequences: Mapping[Sequence, NDArray[Any]],
        voxel_mm: tuple[float, float, float],
        *,
        model: str | None = None,
        progress: OnStep,
    ) -> VolumeSegmentationAnswer:
        """Arrays `[x, y, z]`, closest to RAS."""

    async def segment_stack(
        self,
        sequences: Mapping[Sequence, NDArray[Any]],
        vector: ClinicalVector | None = None,
        *,
        always_read: bool = False,
        model: str | None = None,
        progress: OnStep,
    ) -> SegmentationAnswer:
        """Arrays `[slices, rows, columns]`."""


@dataclass(frozen=True, slots=True, eq=False)
class VolumeOutline:
    """`labels [i, j, k]` uint8 on the study's grid, 0 = background; `names` says what the others are.

    `by_slices` is the slice model's answer where one outlined the volume; None where a 3D network did.
    """

    labels: NDArray[np.uint8]
    names: Mapping[int, str]
    counts: Mapping[str, int]
    model: ModelRef
    band: BoundaryBand | None = None
    missing: tuple[str, ...] = ()
    by_slices: SegmentationAnswer | None = None


def wants_3d(present: AbstractSet[Sequence]) -> bool:
    """Whether a 3D network is first choice: for all four sequences, and where no slice model reads what is there.

    With FLAIR but not all four a slice model is better (it was trained on such studies, and reads the record), with
    T1 alone too.
    """
    return present >= ALL_SEQUENCES or not present & {"flair", "t1", "t1ce"}


def outlined_in_3d(named: str | None, in_3d: Collection[str], present: AbstractSet[Sequence]) -> bool:
    """Whether one of the 3D networks `in_3d` makes the outline: the model `named`, or the choice for what is there."""
    return named in in_3d if named is not None else bool(in_3d) and wants_3d(present)


def check_explained(named: str | None, in_3d: Collection[str], present: AbstractSet[Sequence]) -> None:
    """Raises `InvalidOptions` where the record's effect cannot be told, as a 3D network makes the outline."""
    if outlined_in_3d(named, in_3d, present):
        raise InvalidOptions(
            "options: explain_metadata: this volume is outlined by a 3D network, which reads no clinical record. Name "
            "a slice model that does in `models.segmentation`, or leave explain_metadata out."
        )


async def outline_in_3d(
    segmenter: VolumeOutliner, study: VolumeStudy, *, model: str | None, progress: OnStep
) -> VolumeOutline:
    """By a 3D network, on the closest RAS view; the labels come back to the study's grid without resampling."""
    grid = study.grid
    volumes = {name: volume.canonical for name, volume in study.sequences.items()}
    answer = await segmenter.segment_volume(volumes, grid.canonical.spacing_mm, model=model, progress=progress)
    result = answer.result
    return VolumeOutline(
        labels=np.ascontiguousarray(grid.turn.undo(answer.labels)),
        names=result.names,
        counts=result.labels,
        model=result.model,
        band=result.band,
        missing=result.missing,
    )


async def when_there_is_room(outline: Callable[[], Awaitable[VolumeOutline]]) -> VolumeOutline:
    """The outline, asked for again while the segmenter has too much to do: a job has time, and begun work is kept.

    How long it may wait is the job's limit. All errors but `Overloaded` pass through.
    """
    while True:
        try:
            return await outline()
        except Overloaded as error:
            await asyncio.sleep(_RETRY_S if error.retry_after_s is None else error.retry_after_s)


async def outline_by_slices(
    segmenter: VolumeOutliner,
    slices: VolumeSlices,
    vector: ClinicalVector | None,
    *,
    always_read: bool,
    model: str | None,
    progress: OnStep,
) -> VolumeOutline:
    """Slice by slice, by a model that knows slices."""
    stacks = {name: slices.stack.take(volume.voxels) for name, volume in slices.study.sequences.items()}
    answer = await segmenter.segment_stack(stacks, vector, always_read=always_read, model=model, progress=progress)
    labels = np.ascontiguousarray(slices.stack.put(answer.mask)).astype(np.uint8)
    return VolumeOutline(
        labels=labels,
        names={1: _TUMOR},
        counts={_TUMOR: int(np.count_nonzero(labels))},
        model=answer.result.model,
        band=answer.result.band,
        by_slices=answer,
    )


def skull_stripped(study: VolumeStudy) -> bool:
    """Whether the skull may have been taken off: where it was, all around the brain has one value."""
    voxels = study.primary.voxels
    corner = voxels[0, 0, 0]
    return int(np.count_nonzero(voxels == corner)) > _STRIPPED_SHARE * voxels.size
