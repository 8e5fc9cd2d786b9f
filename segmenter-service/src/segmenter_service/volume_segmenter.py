"""From a volume's sequences to its label map: brought to the model's grid once, run tile by tile, brought back."""

import asyncio
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmenter_service.stack import SEQUENCES
from segmenter_service.volumes import VolumeSequences
from service_kit.contracts.segmentation import VolumeSegmentationResult
from service_kit.errors import InferenceFailed, InvalidRequest, ModelInvalid
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.manifest import ModelManifest, Postprocessing
from service_kit.inference.postprocessing import are_probabilities
from service_kit.inference.served import StageModels
from service_kit.inference.tiling import Axes, Blend, Corner, cut, mirror, mirrorings, tile_corners
from service_kit.inference.tumor_regions import REGIONS, VOXEL_LABELS, label_map
from service_kit.inference.volume import VolumePlacement, VolumePreprocessing
from service_kit.offload import on_pixels

OnTile = Callable[[int, int], None]
"""Told how many tiles are done, of how many."""


@dataclass(frozen=True, slots=True)
class VolumeSegmentation:
    """The answer and `mask [x, y, z]` uint8 on the input's voxels; `result.names` says what its values are."""

    result: VolumeSegmentationResult
    mask: NDArray[np.uint8]


class VolumeSegmenter:
    """Segments volumes with the published 3D models.

    Raises:
        ModelInvalid: a model that cannot answer this question.
    """

    def __init__(self, models: StageModels) -> None:
        self._models = models
        for backend in models:
            _check_model(backend.manifest)

    def choose(self, present: AbstractSet[str], name: str | None) -> InferenceBackend:
        """The model called `name`, or the first of the defaults that reads one of the sequences `present`.

        Raises:
            InvalidRequest: no such model, or none of these sequences is read.
        """
        candidates = self._models.defaults if name is None else (self._models.choose(name),)
        for backend in candidates:
            if present & set(backend.manifest.sequences):
                return backend
        wanted = "; ".join(f"{one.manifest.name} reads {', '.join(one.manifest.sequences)}" for one in candidates)
        raise InvalidRequest(f"{', '.join(sorted(present))} cannot be segmented: {wanted}", stage=self._models.stage)

    async def segment(self, volumes: VolumeSequences, backend: InferenceBackend, on_tile: OnTile) -> VolumeSegmentation:
        """Segment the volume with a model that `choose` gave. Whoever calls keeps no `volumes`: they are let go early.

        Raises:
            InferenceFailed, Overloaded, DeadlineExceeded, NotReady: from the engine.
        """
        manifest = backend.manifest
        channels, preprocessing = manifest.sequences, _preprocessing(manifest)
        missing = tuple(name for name in channels if name not in volumes.sequences)
        grid, present, placement = await asyncio.to_thread(
            preprocessing.apply, volumes.sequences, channels, volumes.voxel_mm
        )
        del volumes
        blend, tiles = await self._run_tiles(backend, grid, present, on_tile)
        del grid
        mask = await asyncio.to_thread(_mask, manifest, blend, placement)
        names = _names(manifest)
        result = VolumeSegmentationResult(
            names=names,
            labels={name: int(np.count_nonzero(mask == value)) for value, name in names.items()},
            sequences=channels,
            missing=missing,
            tiles=tiles,
            band=manifest.band,
            model=backend.ref,
        )
        return VolumeSegmentation(result, mask)

    async def _run_tiles(
        self, backend: InferenceBackend, grid: NDArray[np.float32], present: NDArray[np.float32], on_tile: OnTile
    ) -> tuple[Blend, int]:
        preprocessing = _preprocessing(backend.manifest)
        shape, patch = (grid.shape[1], grid.shape[2], grid.shape[3]), preprocessing.patch_voxels
        corners = tile_corners(shape, patch, preprocessing.step)
        runs = [(corner, axes) for corner in corners for axes in mirrorings(preprocessing.mirrored)]
        blend = Blend(shape, patch)
        # One place for all tiles, which are run one after the other: new memory costs as much as the copy.
        place = np.empty((grid.shape[0], patch, patch, patch), np.float32)
        on_tile(0, len(runs))
        for done, (corner, axes) in enumerate(runs, start=1):
            tile = await on_pixels(1, patch**3, _tile, grid, corner, axes, place)
            outputs = await backend.infer({"volume": tile, "present": present[None]})
            await on_pixels(1, patch**3, _add, blend, corner, axes, outputs["probabilities"])
            on_tile(done, len(runs))
        return blend, len(runs)


def _tile(grid: NDArray[np.float32], corner: Corner, axes: Axes, place: NDArray[np.float32]) -> NDArray[np.float32]:
    return mirror(cut(grid, corner, len(place[0]), place)[None], axes)


def _add(blend: Blend, corner: Corner, axes: Axes, answer: NDArray[np.float32]) -> None:
    # A NaN is under every threshold: unchecked, a broken model would find every brain healthy.
    if not are_probabilities(answer):
        raise InferenceFailed("the model gave something other than probabilities", stage="segmentation")
    blend.add(corner, mirror(answer, axes)[0])


def _mask(manifest: ModelManifest, blend: Blend, placement: VolumePlacement) -> NDArray[np.uint8]:
    threshold = (manifest.postprocessing or Postprocessing()).threshold
    found = blend.result()
    # One after the other: a map of probabilities on the input's voxels is four times as large as a region.
    regions = np.stack([placement.restore_box(probabilities) >= threshold for probabilities in found])
    # Outside the box all probabilities are zero, and a threshold is above it.
    mask = np.zeros(placement.shape, np.uint8)
    mask[placement.box] = label_map(regions) if manifest.labels == REGIONS else regions[0]
    return mask


def _names(manifest: ModelManifest) -> dict[int, str]:
    if manifest.labels == REGIONS:
        return {value: name for name, value in VOXEL_LABELS.items()}
    return {1: manifest.labels[0]}


def _preprocessing(manifest: ModelManifest) -> VolumePreprocessing:
    if manifest.volume is None:
        raise ModelInvalid(f"{manifest.name}: a 3D model needs volume")
    return manifest.volume


def _check_model(manifest: ModelManifest) -> None:
    """Refuse a model that this service cannot feed or read.

    Raises:
        ModelInvalid: naming the model and what is wrong.
    """
    channels, cube = len(manifest.sequences), (_preprocessing(manifest).patch_voxels,) * 3
    if not manifest.sequences or not _distinct(manifest.sequences) or not set(manifest.sequences) <= set(SEQUENCES):
        raise ModelInvalid(f"{manifest.name}: its sequences must be of {', '.join(SEQUENCES)}, each once")
    if manifest.labels != REGIONS and len(manifest.labels) != 1:
        raise ModelInvalid(f"{manifest.name}: its labels must be {', '.join(REGIONS)}, or one")
    wanted = {"volume": (channels, *cube), "present": (channels,), "probabilities": (len(manifest.labels), *cube)}
    specs = {spec.name: spec for spec in (*manifest.inputs, *manifest.outputs)}
    for name, shape in wanted.items():
        spec = specs.get(name)
        if spec is None or spec.dtype != "FP32" or spec.shape[1:] != shape:
            raise ModelInvalid(f"{manifest.name}: its {name} must be FP32 [N, {', '.join(map(str, shape))}]")
    if manifest.postprocessing is not None and manifest.postprocessing.min_component_px > 1:
        raise ModelInvalid(f"{manifest.name}: min_component_px is for models that read slices")


def _distinct(names: Iterable[str]) -> bool:
    listed = list(names)
    return len(set(listed)) == len(listed)
