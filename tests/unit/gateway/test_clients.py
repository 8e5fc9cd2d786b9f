"""The gateway's clients against services that misbehave."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import httpx
import numpy as np
import pytest

from gateway.clients.classifier import ClassifierClient
from gateway.clients.metadata import MetadataClient
from gateway.clients.segmenter import SegmenterClient
from gateway.clients.upstream import Upstream
from gateway.errors import InvalidClinicalRecord
from service_kit import tensors
from service_kit.context import RequestContext, current
from service_kit.contracts.segmentation import SegmentationResult
from service_kit.deadline import deadline
from service_kit.errors import (
    DeadlineExceeded,
    InvalidRequest,
    NotReady,
    Overloaded,
    ServiceError,
    UpstreamFailed,
)
from tests.unit.gateway.fakes import model_ref, picture

Answer = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


def upstream(answer: Answer, *, timeout_s: float = 5.0) -> Upstream:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Upstream(http, "http://service:8003", service="segmenter", timeout_s=timeout_s)


def problem(
    status: int, code: str, *, errors: list[Any] | None = None, headers: dict[str, str] | None = None
) -> Answer:
    body = {"code": code, "detail": "what the service says", "errors": errors}
    return lambda _: httpx.Response(status, json=body, headers=headers)


async def call(answer: Answer, **settings: float) -> bytes:
    return await upstream(answer, **settings).call("POST", "/v1/segmentations", stage="segmentation", content=b"1")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (problem(503, "not_ready"), NotReady),
        (problem(503, "overloaded"), Overloaded),
        (problem(504, "deadline_exceeded"), DeadlineExceeded),
        (problem(500, "inference_failed"), UpstreamFailed),
        (problem(400, "bad"), UpstreamFailed),
        (problem(413, "payload_too_large"), UpstreamFailed),
        (problem(415, "unsupported_media_type"), UpstreamFailed),
        (lambda _: httpx.Response(404, text="<html>a proxy</html>"), UpstreamFailed),
        (lambda _: httpx.Response(502, json=["no object"]), UpstreamFailed),
        (lambda _: httpx.Response(301, headers={"location": "http://elsewhere"}), UpstreamFailed),
    ],
)
async def test_a_failing_service_is_our_failure(answer: Answer, expected: type[ServiceError]) -> None:
    with pytest.raises(expected) as caught:
        await call(answer)
    assert type(caught.value) is expected
    assert caught.value.stage == "segmentation"
    assert "segmenter" in caught.value.detail


async def test_how_long_to_wait_is_passed_on() -> None:
    with pytest.raises(Overloaded) as caught:
        await call(problem(503, "overloaded", headers={"Retry-After": "7"}))
    assert caught.value.retry_after_s == 7
    with pytest.raises(Overloaded) as caught:
        await call(problem(503, "overloaded", headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}))
    assert caught.value.retry_after_s == 2


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("refused"), NotReady),
        (httpx.ConnectTimeout("no route"), NotReady),
        (httpx.ReadError("reset"), NotReady),
        (httpx.RemoteProtocolError("closed"), NotReady),
        (httpx.PoolTimeout("all busy"), Overloaded),
        (httpx.ReadTimeout("slow"), DeadlineExceeded),
    ],
)
async def test_a_broken_connection_is_never_tried_again_here(error: Exception, expected: type[ServiceError]) -> None:
    tries = 0

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        raise error

    with pytest.raises(expected) as caught:
        await call(answer)
    assert tries == 1
    assert caught.value.stage == "segmentation"


async def test_a_slow_service_is_given_up_at_the_limit_or_at_the_deadline() -> None:
    async def slow(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        return httpx.Response(200)

    with pytest.raises(DeadlineExceeded):
        await call(slow, timeout_s=0.01)
    with deadline(0.08), pytest.raises(DeadlineExceeded):
        await call(slow)
    asked = []
    with deadline(0.0), pytest.raises(DeadlineExceeded):
        await call(lambda request: asked.append(request) or httpx.Response(200))  # type: ignore[func-returns-value]
    assert not asked


async def test_deadline_request_id_and_trace_go_along() -> None:
    seen: Mapping[str, str] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal seen
        seen = request.headers
        return httpx.Response(200)

    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    token = current.set(RequestContext("request-1", trace))
    try:
        with deadline(2.0):
            await call(answer)
    finally:
        current.reset(token)
    assert (seen["x-request-id"], seen["traceparent"]) == ("request-1", trace)
    assert 1500 < int(seen["x-deadline-ms"]) <= 2000


async def test_a_refused_record_is_the_callers_and_keeps_its_field_errors() -> None:
    errors = [{"loc": ["laterality"], "msg": "leaks the answer"}]
    client = MetadataClient(upstream(problem(422, "leaking_field", errors=errors)))
    with pytest.raises(InvalidClinicalRecord) as caught:
        await client.normalize({"laterality": "left"})
    assert (caught.value.status, caught.value.errors) == (422, tuple(errors))
    assert caught.value.detail == "what the service says"


async def test_a_refused_picture_is_our_fault_unless_a_model_was_pinned() -> None:
    refusing = upstream(problem(422, "invalid_request"))
    clients = (SegmenterClient(refusing), ClassifierClient(refusing, refusing))
    with pytest.raises(UpstreamFailed):
        await clients[0].segment({"t1ce": picture()})
    with pytest.raises(InvalidRequest):
        await clients[0].segment({"t1ce": picture()}, model="nnunet")
    with pytest.raises(UpstreamFailed):
        await clients[1].classify_view(picture())
    with pytest.raises(InvalidRequest):
        await clients[1].classify_view(picture(), model="vgg")


def segmentation(shape: tuple[int, ...], **arrays: Any) -> bytes:
    result = SegmentationResult(
        labels={"tumor": 0}, sequences=("t1",), substituted={}, clinical_used=False, model=model_ref("segmentation")
    )
    return tensors.encode(arrays or {"mask": np.zeros(shape, np.uint8)}, result)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<html>",
        segmentation((1, 80, 64))[:-5],
        tensors.encode({"mask": np.zeros((1, 80, 64), np.uint8)}),
        tensors.encode({"mask": np.zeros((1, 80, 64), np.uint8)}, model_ref("segmentation")),
        segmentation((1, 64, 80)),
        segmentation((80, 64)),
        segmentation((), other=np.zeros((1, 80, 64), np.uint8)),
    ],
    ids=["empty", "json", "html", "cut", "no result", "half a result", "transposed", "flat", "no mask"],
)
async def test_an_answer_that_breaks_the_contract_is_refused(body: bytes) -> None:
    client = SegmenterClient(upstream(lambda _: httpx.Response(200, content=body)))
    with pytest.raises(UpstreamFailed) as caught:
        await client.segment({"t1ce": picture()})
    assert caught.value.stage == "segmentation"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"features": {}}'])
async def test_json_that_breaks_the_contract_is_refused(body: bytes) -> None:
    client = MetadataClient(upstream(lambda _: httpx.Response(200, content=body)))
    with pytest.raises(UpstreamFailed):
        await client.normalize({})
    with pytest.raises(UpstreamFailed):
        await client.models()


async def test_a_service_is_ready_when_it_says_so() -> None:
    assert await upstream(lambda _: httpx.Response(200)).ready()
    assert not await upstream(problem(503, "not_ready")).ready()

    def unreachable(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert not await upstream(unreachable).ready()
