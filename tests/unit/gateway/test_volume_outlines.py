"""The gateway's client against a segmenter whose streams of frames go wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.clients.segmenter import SegmenterClient
from gateway.clients.upstream import Upstream
from gateway.clients.volume_outlines import VolumeSegmentationAnswer
from service_kit import frames
from service_kit.contracts.common import Sequence
from service_kit.contracts.segmentation import VolumeSegmentationResult
from service_kit.deadline import DEADLINE_HEADER, deadline
from service_kit.errors import DeadlineExceeded, InvalidRequest, NotReady, Overloaded, ServiceError, UpstreamFailed
from service_kit.tensors import decode
from tests.unit.gateway.fakes import model_ref

VOLUME = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
RESULT = VolumeSegmentationResult(
    names={1: "tumor"}, labels={"tumor": 0}, sequences=("t1",), tiles=2, model=model_ref("segmentation", "unet3d")
)


def last(shape: tuple[int, ...] = VOLUME.shape, dtype: type = np.uint8) -> bytes:
    return b"".join(frames.encode({"mask": np.zeros(shape, dtype)}, RESULT))


def problem(text: str) -> bytes:
    return b"".join(frames.encode({}, None, problem=text))


class Stream(httpx.AsyncByteStream):
    """Chunks, a failure or an endless silence after them; says when it was closed."""

    def __init__(self, chunks: list[bytes], then: Exception | None = None, *, silent: bool = False) -> None:
        self.chunks, self.then, self.silent = chunks, then, silent
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk
        if self.silent:
            await asyncio.Event().wait()
        if self.then is not None:
            raise self.then

    async def aclose(self) -> None:
        self.closed = True


Answer = Callable[[httpx.Request], httpx.Response]


def client(answer: Answer, *, silence_s: float = 30.0) -> SegmenterClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    upstream = Upstream(http, "http://service:8003", service="segmenter", timeout_s=5)
    return SegmenterClient(upstream, silence_s=silence_s)


async def ignore(done: int, total: int) -> None:
    """Nobody is told."""


async def outline(stream: Stream, *, silence_s: float = 30.0) -> VolumeSegmentationAnswer:
    made = client(lambda _: httpx.Response(200, stream=stream), silence_s=silence_s)
    return await made.segment_volume({"t1": VOLUME}, (1, 2, 3), progress=ignore)


async def test_what_is_sent_is_the_envelope_with_its_length() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, stream=Stream([frames.progress(0, 0), last((5, 4, 3))]))

    voxels: dict[Sequence, NDArray[Any]] = {"t1": VOLUME.T, "flair": VOLUME.T.astype(np.float64)}
    with deadline(40):
        await client(answer).segment_volume(voxels, (1, 2.5, 3), model="unet3d", progress=ignore)
    (request,) = seen
    assert request.url.path == "/v1/volume-segmentations"
    assert dict(request.url.params) == {"model": "unet3d"}
    body = request.content
    assert request.headers["content-length"] == str(len(body))
    assert "transfer-encoding" not in request.headers
    assert 30_000 < int(request.headers[DEADLINE_HEADER]) <= 40_000
    envelope = decode(body)
    assert envelope.metadata == {"voxel_mm": "[1, 2.5, 3]"}
    np.testing.assert_array_equal(envelope.arrays["t1"], VOLUME.T)
    assert envelope.arrays["flair"].dtype == np.float32


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        ([], "ended without an outline"),
        ([frames.progress(1, 2)], "ended without an outline"),
        ([frames.progress(1, 2), last()[:-1]], "cannot be read"),
        ([b"<html>a proxy's page</html>"], "cannot be read"),
        ([last((4, 3, 5))], "lacks a mask of the shape"),
        ([last(dtype=np.bool_)], "lacks a mask"),
        ([b"".join(frames.encode({"mask": np.zeros(VOLUME.shape, np.uint8)}))], "holds no result"),
        ([b"".join(frames.encode({}, RESULT))], "lacks a mask"),
        ([problem('{"code": "inference_failed"}')], "failed: inference_failed"),
        ([problem("[]")], "it does not say how"),
        ([problem("{")], "it does not say how"),
    ],
)
async def test_a_stream_that_breaks_the_contract_is_our_failure(chunks: list[bytes], words: str) -> None:
    stream = Stream(chunks)
    with pytest.raises(UpstreamFailed, match=words):
        await outline(stream)
    assert stream.closed


@pytest.mark.parametrize("kind", [NotReady, Overloaded, DeadlineExceeded])
async def test_what_may_be_tried_again_stays_so(kind: type[ServiceError]) -> None:
    with pytest.raises(kind) as caught:
        await outline(Stream([problem(f'{{"code": "{kind.code}"}}')]))
    assert caught.value.stage == "segmentation"


async def test_a_connection_that_breaks_is_a_service_that_is_not_there() -> None:
    stream = Stream([frames.progress(1, 2)], httpx.ReadError("reset by peer"))
    with pytest.raises(NotReady, match="cannot be reached"):
        await outline(stream)
    assert stream.closed


async def test_silence_has_a_limit_and_so_has_the_callers_patience() -> None:
    stream = Stream([frames.progress(1, 2)], silent=True)
    with pytest.raises(DeadlineExceeded, match=r"did not answer in 0\.1 s"):
        await outline(stream, silence_s=0.1)
    assert stream.closed
    with deadline(0.2), pytest.raises(DeadlineExceeded):
        await outline(Stream([frames.progress(1, 2)], silent=True))


@pytest.mark.parametrize("error", [InvalidRequest("the caller's own"), KeyError("a defect")])
async def test_what_progress_raises_goes_through_and_closes_the_stream(error: Exception) -> None:
    async def stop(done: int, total: int) -> None:
        raise error

    stream = Stream([frames.progress(1, 2)], silent=True)
    made = client(lambda _: httpx.Response(200, stream=stream))
    with pytest.raises(type(error)) as caught:
        await made.segment_volume({"t1": VOLUME}, (1, 1, 1), progress=stop)
    assert caught.value is error
    assert stream.closed


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (503, "overloaded", Overloaded),
        (503, "not_ready", NotReady),
        (504, "deadline_exceeded", DeadlineExceeded),
        (413, "payload_too_large", UpstreamFailed),
        (422, "invalid_request", UpstreamFailed),
        (500, "internal_error", UpstreamFailed),
    ],
)
async def test_a_refusal_before_the_stream_is_read_as_ever(
    status: int, code: str, expected: type[ServiceError]
) -> None:
    made = client(lambda _: httpx.Response(status, json={"code": code, "detail": "what it says"}))
    with pytest.raises(expected) as caught:
        await made.segment_volume({"t1": VOLUME}, (1, 1, 1), progress=ignore)
    assert type(caught.value) is expected
    with pytest.raises(InvalidRequest if status == 422 else expected):
        await made.segment_volume({"t1": VOLUME}, (1, 1, 1), model="unet3d", progress=ignore)


async def test_a_service_that_cannot_be_reached_is_not_ready() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(NotReady):
        await client(refuse).segment_volume({"t1": VOLUME}, (1, 1, 1), progress=ignore)
