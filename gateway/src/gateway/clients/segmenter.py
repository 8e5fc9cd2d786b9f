"""The segmenter service: where the tumor is."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.clients.answers import declined, decoded, listed
from gateway.clients.upstream import Refused, Upstream
from gateway.clients.volume_outlines import OnProgress, VolumeSegmentationAnswer, read_outline
from gateway.findings import Mask, Pixels
from service_kit import tensors
from service_kit.contracts.clinical import ClinicalVector
from service_kit.contracts.common import Sequence
from service_kit.contracts.models import ServedModel
from service_kit.contracts.segmentation import SegmentationResult
from service_kit.errors import UpstreamFailed

_STAGE: Final = "segmentation"
_STACK_SLICES = 8
"""Slices of a stack in one call: progress is told after each."""
_SILENCE_S = 60.0
"""The segmenter says every few seconds how far a volume is."""


@dataclass(frozen=True, slots=True)
class SegmentationAnswer:
    """`mask [rows, columns]` on the picture's own grid; `[slices, rows, columns]` of a stack."""

    mask: Mask
    result: SegmentationResult


class SegmenterClient:
    """Outlines a slice, a stack of slices, a volume. See `Upstream.call` for what is raised.

    `silence_s` is how long the segmenter may say nothing about a volume.
    """

    def __init__(self, upstream: Upstream, *, silence_s: float = _SILENCE_S) -> None:
        self._upstream = upstream
        self._silence_s = silence_s

    async def segment(
        self,
        sequences: Mapping[Sequence, Pixels],
        vector: ClinicalVector | None = None,
        *,
        always_read: bool = False,
        model: str | None = None,
    ) -> SegmentationAnswer:
        """`sequences`: arrays `[rows, columns]` of one shape. Raises `InvalidRequest` when `model` does not fit.

        `always_read` hands the vector also to a model that it did not help in evaluation.
        """
        arrays: dict[str, Pixels] = {name: pixels[np.newaxis] for name, pixels in sequences.items()}
        answer = await self._outline(arrays, vector, always_read=always_read, model=model)
        return SegmentationAnswer(answer.mask[0], answer.result)

    async def segment_stack(
        self,
        sequences: Mapping[Sequence, NDArray[Any]],
        vector: ClinicalVector | None = None,
        *,
        always_read: bool = False,
        model: str | None = None,
        progress: OnProgress,
    ) -> SegmentationAnswer:
        """Every slice of `sequences`, arrays `[slices, rows, columns]` of one shape and any number type, by itself.

        A few slices go into one call; `progress` is awaited after each with slices done and all, and what it raises
        ends the work. The result's `labels` are those of all slices. Else as `segment`.

        Raises:
            ValueError: the stack has no slices.
        """
        shape = next(iter(sequences.values())).shape
        mask = np.empty(shape, np.bool_)
        labels: Counter[str] = Counter()
        result: SegmentationResult | None = None
        for at in range(0, shape[0], _STACK_SLICES):
            some = slice(at, min(at + _STACK_SLICES, shape[0]))
            # The service takes uint8 and float32; only these few slices are ever held as such.
            arrays: dict[str, Pixels] = {name: _pixels(stack[some]) for name, stack in sequences.items()}
            answer = await self._outline(arrays, vector, always_read=always_read, model=model)
            mask[some], result = answer.mask, answer.result
            labels.update(result.labels)
            await progress(some.stop, shape[0])
        if result is None:
            raise ValueError("a stack without slices cannot be outlined")
        return SegmentationAnswer(mask, result.model_copy(update={"labels": dict(labels)}))

    async def segment_volume(
        self,
        sequences: Mapping[Sequence, NDArray[Any]],
        voxel_mm: tuple[float, float, float],
        *,
        model: str | None = None,
        progress: OnProgress,
    ) -> VolumeSegmentationAnswer:
        """Outline a volume: `sequences` are arrays `[x, y, z]` of one shape in the nearest RAS orientation.

        `progress` is awaited with tiles done and all, (0, 1) while the volume waits or is prepared; what it raises
        closes the stream, and the segmenter stops. See `Upstream.stream` for what is raised, and:

        Raises:
            InvalidRequest: `model` does not fit.
            UpstreamFailed: the segmenter failed or refused the volume, or its answer breaks the contract.
        """
        parts = tensors.encode_parts(
            {name: _voxels(voxels) for name, voxels in sequences.items()}, None, voxel_mm=json.dumps(voxel_mm)
        )
        shape = next(iter(sequences.values())).shape
        stream = self._upstream.stream(
            "/v1/volume-segmentations",
            stage=_STAGE,
            parts=parts,
            media_type=tensors.MEDIA_TYPE,
            silence_s=self._silence_s,
            params=_named(model),
        )
        try:
            async with stream as chunks:
                return await read_outline(chunks, shape, progress)
        except Refused as refusal:
            raise declined(refusal, _STAGE, model) from refusal

    async def models(self) -> tuple[ServedModel, ...]:
        """The models that are served."""
        return listed(await self._upstream.call("GET", "/v1/models", stage=_STAGE), _STAGE)

    async def ready(self) -> bool:
        """Whether the service can answer."""
        return await self._upstream.ready()

    async def _outline(
        self,
        stacks: Mapping[str, Pixels],
        vector: ClinicalVector | None,
        *,
        always_read: bool,
        model: str | None,
    ) -> SegmentationAnswer:
        arrays: dict[str, NDArray[Any]] = {**stacks}
        metadata: dict[str, str] = {}
        if vector is not None:
            arrays["clinical"] = np.fromiter(vector.features.values(), np.float32)
            metadata["clinical_features"] = json.dumps(list(vector.features))
            metadata["clinical_use"] = "always" if always_read else "auto"
        try:
            body = await self._upstream.call(
                "POST",
                "/v1/segmentations",
                stage=_STAGE,
                content=tensors.encode(arrays, None, **metadata),
                media_type=tensors.MEDIA_TYPE,
                params=_named(model),
            )
        except Refused as refusal:
            raise declined(refusal, _STAGE, model) from refusal
        envelope, result = decoded(body, SegmentationResult, {"mask"}, stage=_STAGE)
        mask = envelope.arrays["mask"]
        expected = next(iter(stacks.values())).shape
        if mask.shape != expected:
            raise UpstreamFailed(f"The mask has the shape {mask.shape}, not {expected}.", stage=_STAGE)
        return SegmentationAnswer(mask.astype(np.bool_), result)


def _named(model: str | None) -> dict[str, str] | None:
    return None if model is None else {"model": model}


def _pixels(pixels: NDArray[Any]) -> Pixels:
    return pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32)


def _voxels(voxels: NDArray[Any]) -> NDArray[Any]:
    return voxels if voxels.dtype in (np.uint8, np.int16) else voxels.astype(np.float32, copy=False)
