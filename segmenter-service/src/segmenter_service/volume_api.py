"""Volumes over HTTP: sequences in; progress, then a label map and a result out. Nothing is decided here."""

import contextlib
import time
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request

from segmenter_service.volume_segmenter import VolumeSegmenter
from segmenter_service.volume_turns import VolumeTurns
from segmenter_service.volumes import VolumeSequences, read_volumes
from service_kit import frames, progress_stream
from service_kit.contracts.common import ModelRef
from service_kit.contracts.segmentation import VolumeSegmentationResult
from service_kit.deadline import DEADLINE_HEADER, deadline_at
from service_kit.errors import (
    DeadlineExceeded,
    InvalidRequest,
    NotReady,
    Overloaded,
    PayloadTooLarge,
    UnsupportedMedia,
)
from service_kit.inference.backend import InferenceBackend
from service_kit.problems import declare
from service_kit.progress_stream import ProgressResponse, Tell
from service_kit.wire import envelope_body, read_large_envelope

PATH = "/v1/volume-segmentations"
EXAMPLE = VolumeSegmentationResult(
    names={1: "necrotic_core", 2: "edema", 3: "enhancing_tumor"},
    labels={"necrotic_core": 8204, "edema": 41377, "enhancing_tumor": 15061},
    sequences=("t1", "t1ce", "t2", "flair"),
    missing=("t2",),
    tiles=18,
    model=ModelRef(
        stage="segmentation",
        name="unet3d",
        version="1",
        sha256="0" * 64,
        backend="onnxruntime",
        provider="CPUExecutionProvider",
        precision="fp32",
    ),
)

_BODY = """\
Arrays by sequence, `t1`, `t1ce`, `t2`, `flair`: each uint8, int16 or float32 [x, y, z] in the nearest RAS orientation,
all of one shape, registered and with the skull taken off. At least one that the model reads; others may be missing.
Metadata `voxel_mm`: a JSON list [x, y, z]."""
_ANSWER = """\
Progress: no arrays; metadata `progress` = {"done": tiles, "total": tiles}, total 0 while it waits or prepares. One
comes at least every few seconds.
The last one: array `mask` uint8 [x, y, z] on the input's voxels, result VolumeSegmentationResult; or, where it failed
after the stream had begun, metadata `problem`, the text of a problem+json."""


def create_volume_router(segmenter: VolumeSegmenter | None, turns: VolumeTurns, *, max_voxels: int) -> APIRouter:
    """The route for volumes; without a 3D model it says that there is none."""
    router = APIRouter(prefix="/v1", tags=["segmenter"])

    @router.post(
        "/volume-segmentations",
        summary="Outline the tumor's regions in a volume",
        response_class=ProgressResponse,
        status_code=200,
        responses={
            **declare(InvalidRequest, UnsupportedMedia, PayloadTooLarge, Overloaded, NotReady, DeadlineExceeded),
            **progress_stream.describe(_ANSWER, EXAMPLE),
        },
        openapi_extra=envelope_body(_BODY),
    )
    async def segment_volume(
        request: Request,
        model: Annotated[str | None, Query(description="a published 3D segmentation model, by its name")] = None,
    ) -> ProgressResponse:
        """What can be refused is refused before the stream begins; who goes away ends the work within a tile."""
        if segmenter is None:
            raise InvalidRequest("no model that reads volumes is published here: send slices", stage="segmentation")
        until = _caller_deadline(request)
        with contextlib.ExitStack() as refused:
            refused.callback(turns.enter())
            volumes = read_volumes(await read_large_envelope(request), max_voxels=max_voxels)
            backend = segmenter.choose(volumes.sequences.keys(), model)
            work = _Work(segmenter, turns, volumes, backend, until)
            return ProgressResponse(work.run, release=refused.pop_all().close)

    return router


class _Work:
    """One volume, from its turn to its last frame."""

    def __init__(
        self,
        segmenter: VolumeSegmenter,
        turns: VolumeTurns,
        volumes: VolumeSequences,
        backend: InferenceBackend,
        until: float | None,
    ) -> None:
        # Whoever takes it is its only owner: the voxels are let go as soon as they are on the model's grid.
        self._segment = [partial(segmenter.segment, volumes, backend)]
        self._turns = turns
        self._until = until

    async def run(self, tell: Tell) -> list[memoryview]:
        """The last frame."""
        # The edge's limit is for answers that come at once: only what the caller said holds here.
        with deadline_at(self._until):
            async with self._turns.turn():
                found = await self._segment.pop()(tell)
            return frames.encode({"mask": found.mask}, found.result)


def _caller_deadline(request: Request) -> float | None:
    """The moment on the clock of `time.monotonic`; the edge has checked the header."""
    left_ms = request.headers.get(DEADLINE_HEADER)
    return None if left_ms is None else time.monotonic() + int(left_ms[:12]) / 1000
