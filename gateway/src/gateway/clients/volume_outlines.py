"""Reading a segmenter's answer about a volume: progress as it comes, then the label map."""

import contextlib
import json
import math
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service_kit import frames, tensors
from service_kit.contracts.segmentation import VolumeSegmentationResult
from service_kit.errors import DeadlineExceeded, InvalidRequest, NotReady, Overloaded, ServiceError, UpstreamFailed

OnProgress = Callable[[int, int], Awaitable[None]]
"""Awaited with `done` and `total` steps; what it raises ends the work."""

_STAGE = "segmentation"
_FRAME_RESERVE_BYTES = 1 << 20
_RETRYABLE: dict[str, type[ServiceError]] = {kind.code: kind for kind in (NotReady, Overloaded, DeadlineExceeded)}


@dataclass(frozen=True, slots=True)
class VolumeSegmentationAnswer:
    """`labels [x, y, z]` uint8 on the voxels that were sent; `result.names` says what each value is, 0 is no tumor."""

    labels: NDArray[np.uint8]
    result: VolumeSegmentationResult


async def read_outline(
    chunks: AsyncIterable[bytes], shape: tuple[int, ...], progress: OnProgress
) -> VolumeSegmentationAnswer:
    """The answer about a volume of `shape`; `progress` is told (0, 1) while nobody knows how much there is to do.

    Raises:
        NotReady, Overloaded, DeadlineExceeded: the service says so inside the stream.
        UpstreamFailed: it failed, or the stream does not hold its contract.
    """
    async with contextlib.aclosing(_steps(chunks, math.prod(shape) + _FRAME_RESERVE_BYTES)) as steps:
        async for step, envelope in steps:
            if step is None:
                return _answer(envelope, shape)
            done, total = step
            await progress(done, max(1, total))
    raise UpstreamFailed("The segmenter's answer ended without an outline.", stage=_STAGE)


async def _steps(
    chunks: AsyncIterable[bytes], max_frame_bytes: int
) -> AsyncGenerator[tuple[tuple[int, int] | None, tensors.Envelope], None]:
    try:
        async for envelope in frames.read_frames(chunks, max_frame_bytes=max_frame_bytes):
            yield frames.progress_of(envelope), envelope
    except InvalidRequest as error:
        raise UpstreamFailed("The segmenter's answer cannot be read.", stage=_STAGE) from error


def _answer(envelope: tensors.Envelope, shape: tuple[int, ...]) -> VolumeSegmentationAnswer:
    if "problem" in envelope.metadata:
        raise _failure(envelope.metadata["problem"])
    result = tensors.parse_result(envelope, VolumeSegmentationResult)
    labels = envelope.arrays.get("mask")
    if labels is None or labels.dtype != np.uint8 or labels.shape != shape:
        raise UpstreamFailed(f"The segmenter's answer lacks a mask of the shape {shape}.", stage=_STAGE)
    return VolumeSegmentationAnswer(labels, result)


def _failure(text: str) -> ServiceError:
    try:
        problem = json.loads(text)
    except ValueError:
        problem = None
    code = str(problem.get("code", "")) if isinstance(problem, dict) else ""
    kind = _RETRYABLE.get(code)
    if kind is not None:
        return kind(f"The segmenter gave up: {code}.", stage=_STAGE)
    return UpstreamFailed(f"The segmenter failed: {code or 'it does not say how'}.", stage=_STAGE)
