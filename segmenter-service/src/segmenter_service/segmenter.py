"""From a stack of slices to its mask: placed once a slice, run in chunks, brought back to the slices' own grid."""

import asyncio
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmenter_service.choice import ModelChoice, choose_model
from segmenter_service.clinical import ClinicalFeatures, clinical_vector
from segmenter_service.stack import SEQUENCES, SliceStack
from service_kit.contracts.segmentation import SegmentationResult
from service_kit.errors import InferenceFailed, ModelInvalid
from service_kit.inference.manifest import ModelManifest, Postprocessing
from service_kit.inference.postprocessing import are_probabilities, postprocess
from service_kit.inference.preprocessing import Placement, Preprocessing
from service_kit.inference.served import StageModels
from service_kit.offload import on_pixels


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The answer, `mask [slices, rows, columns]` uint8 0/1, and the probabilities (float32) where asked for."""

    result: SegmentationResult
    mask: NDArray[np.uint8]
    probabilities: NDArray[np.float32] | None


class Segmenter:
    """Segments stacks with the published segmentation models.

    `chunk_slices` go into one run of the model, `chunks_at_once` of one stack are in work at the same time.

    Raises:
        ModelInvalid: a model that cannot answer this question.
    """

    def __init__(self, models: StageModels, *, chunk_slices: int, chunks_at_once: int) -> None:
        self._models = models
        self._chunk_slices = chunk_slices
        self._chunks_at_once = chunks_at_once
        for backend in models:
            _check_model(backend.manifest)

    async def segment(
        self,
        stack: SliceStack,
        features: ClinicalFeatures | None = None,
        *,
        always_read: bool = False,
        model: str | None = None,
        return_probabilities: bool = False,
    ) -> Segmentation:
        """Segment every slice of the stack.

        `features` is the clinical vector by name; a model that reads one gets its default where it is None, and a
        model that reads none ignores it. So does one that it did not help in evaluation, unless `always_read`.

        Raises:
            InvalidRequest: no such model, none that the sequences can feed, or features that are not the model's.
            InferenceFailed, Overloaded, DeadlineExceeded, NotReady: from the engine.
        """
        choice = choose_model(self._models, stack.sequences.keys(), model)
        manifest = choice.backend.manifest
        vector = clinical_vector(manifest, features) if manifest.clinical_features else None
        left_out = vector is not None and features is not None and not (manifest.clinical_by_default or always_read)
        if left_out:
            vector = clinical_vector(manifest, None)
        slices, rows, columns = stack.shape
        mask = np.empty((slices, rows, columns), np.uint8)
        probabilities = np.empty(mask.shape, np.float32) if return_probabilities else None
        run = _Run(stack, choice, vector, mask, probabilities)
        chunks = [slice(at, min(at + self._chunk_slices, slices)) for at in range(0, slices, self._chunk_slices)]
        await self._run_chunks(run, chunks)
        result = SegmentationResult(
            labels={manifest.labels[0]: int(np.count_nonzero(mask))},
            sequences=manifest.sequences,
            substituted=choice.substituted,
            clinical_used=vector is not None and features is not None and not left_out,
            clinical_left_out=left_out,
            band=manifest.band,
            model=choice.backend.ref,
        )
        return Segmentation(result, mask, probabilities)

    async def _run_chunks(self, run: "_Run", chunks: list[slice]) -> None:
        if len(chunks) == 1:
            await run.segment(chunks[0])
            return
        places = asyncio.Semaphore(self._chunks_at_once)

        async def in_turn(chunk: slice) -> None:
            async with places:
                await run.segment(chunk)

        try:
            async with asyncio.TaskGroup() as group:
                for chunk in chunks:
                    group.create_task(in_turn(chunk))
        except ExceptionGroup as failures:
            # The first failure cancelled the rest: it is the answer.
            raise failures.exceptions[0] from None


@dataclass(frozen=True, slots=True)
class _Run:
    """One stack on one model; the chunks write into `mask` and `probabilities`, each its own slices."""

    stack: SliceStack
    choice: ModelChoice
    vector: NDArray[np.float32] | None
    mask: NDArray[np.uint8]
    probabilities: NDArray[np.float32] | None

    async def segment(self, chunk: slice) -> None:
        """Prepare, infer and finish the slices of `chunk`."""
        manifest = self.choice.backend.manifest
        slices, rows, columns = self.mask[chunk].shape
        pictures, each_px = slices * len(set(self.choice.sources)), rows * columns
        image, placements = await on_pixels(pictures, each_px, self._prepare, chunk, _preprocessing(manifest))
        arrays: dict[str, NDArray[np.uint8] | NDArray[np.float32]] = {"image": image}
        if self.vector is not None:
            arrays["clinical"] = np.tile(self.vector, (slices, 1))
        outputs = await self.choice.backend.infer(arrays)
        planes = outputs["probabilities"][:, 0]
        await on_pixels(slices, each_px, self._finish, chunk, planes, placements, _postprocessing(manifest))

    def _prepare(self, chunk: slice, preprocessing: Preprocessing) -> tuple[NDArray[np.uint8], list[Placement]]:
        sequences = {name: pixels[chunk] for name, pixels in self.stack.sequences.items()}
        reference, sources = sequences[self.choice.reference], self.choice.sources
        placements = [preprocessing.place(pixels) for pixels in reference]
        size = preprocessing.size
        image = np.empty((len(placements), len(sources), size, size), np.uint8)
        # A sequence that feeds several channels is brought to the grid once.
        for source in dict.fromkeys(sources):
            channels = [number for number, name in enumerate(sources) if name == source]
            for row, placement in enumerate(placements):
                image[row, channels] = preprocessing.apply(sequences[source][row], placement)[0]
        return image, placements

    def _finish(
        self,
        chunk: slice,
        planes: NDArray[np.float32],
        placements: list[Placement],
        postprocessing: Postprocessing,
    ) -> None:
        # A NaN is under every threshold: unchecked, a broken model would find every brain healthy.
        if not are_probabilities(planes):
            raise InferenceFailed("the model gave something other than probabilities", stage="segmentation")
        for number, plane, placement in zip(range(chunk.start, chunk.stop), planes, placements, strict=True):
            self.mask[number] = postprocess(plane, placement, postprocessing)
            if self.probabilities is not None:
                self.probabilities[number] = placement.restore(plane)


def _preprocessing(manifest: ModelManifest) -> Preprocessing:
    if manifest.preprocessing is None:
        raise ModelInvalid(f"{manifest.name}: a picture model needs preprocessing")
    return manifest.preprocessing


def _postprocessing(manifest: ModelManifest) -> Postprocessing:
    return manifest.postprocessing or Postprocessing()


def _check_model(manifest: ModelManifest) -> None:
    """Refuse a model that this service cannot feed or read.

    Raises:
        ModelInvalid: naming the model and what is wrong.
    """
    inputs = {spec.name: spec for spec in manifest.inputs}
    wanted = {"image", "clinical"} if manifest.clinical_features else {"image"}
    if inputs.keys() != wanted or "probabilities" not in {spec.name for spec in manifest.outputs}:
        raise ModelInvalid(f"{manifest.name}: it must read {', '.join(sorted(wanted))} and answer probabilities")
    shape = inputs["image"].shape
    if inputs["image"].dtype != "UINT8" or len(shape) != 4 or shape[1] != len(manifest.sequences):
        raise ModelInvalid(f"{manifest.name}: its image must be UINT8 with a channel for each of its sequences")
    if not manifest.sequences or not set(manifest.sequences) <= set(SEQUENCES):
        raise ModelInvalid(f"{manifest.name}: its sequences must be of {', '.join(SEQUENCES)}")
    if manifest.clinical_features and not manifest.clinical_default:
        raise ModelInvalid(f"{manifest.name}: a model that reads a clinical vector needs clinical_default")
    if len(manifest.labels) != 1:
        raise ModelInvalid(f"{manifest.name}: a segmentation model has one label here")
    _preprocessing(manifest)
