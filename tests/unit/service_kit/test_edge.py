"""The edge: who asked, until when, how much, and what is written of it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response, StreamingResponse

from service_kit import context
from service_kit.app import create_service_app
from service_kit.deadline import outgoing_headers, remaining_s
from service_kit.logs import JsonFormatter
from service_kit.settings import ServiceSettings
from service_kit.testing import running_app

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Gate:
    """Requests that wait until the test lets them go on."""

    def __init__(self) -> None:
        self.waiting = 0
        self.open = asyncio.Event()
        self._arrived = asyncio.Condition()

    async def pass_through(self) -> None:
        async with self._arrived:
            self.waiting += 1
            self._arrived.notify_all()
        await self.open.wait()

    async def reached_by(self, count: int) -> None:
        async with self._arrived:
            await self._arrived.wait_for(lambda: self.waiting >= count)


def make_app(gate: Gate | None = None, **settings: Any) -> FastAPI:
    router = APIRouter()

    @router.get("/who")
    async def who() -> Response:
        return Response(json.dumps({"outgoing": outgoing_headers(), "remaining_s": remaining_s()}).encode())

    @router.get("/events")
    async def events() -> Response:
        async def told() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            if gate is not None:
                await gate.pass_through()

        return StreamingResponse(told(), media_type="text/event-stream")

    @router.post("/size")
    async def size(request: Request) -> Response:
        return Response(str(len(await request.body())).encode())

    @router.post("/chunks")
    async def chunks(request: Request) -> Response:
        try:
            return Response(str(sum([len(chunk) async for chunk in request.stream()])).encode())
        except Exception as error:  # noqa: BLE001 - an application that makes an answer of everything
            return Response(f"swallowed {error}".encode())

    @router.get("/wait")
    async def wait() -> Response:
        if gate is not None:
            await gate.pass_through()
        return Response(b"done")

    @router.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"first "
            await asyncio.sleep(0.4)
            yield b"second"

        return StreamingResponse(parts())

    @router.get("/broken-stream")
    async def broken_stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"first "
            raise ZeroDivisionError

        return StreamingResponse(parts())

    @router.get("/own-timeout")
    async def own_timeout() -> Response:
        raise TimeoutError

    return create_service_app(title="t", version="1", settings=ServiceSettings(**settings), routers=[router])


async def call(app: FastAPI, path: str, *, method: str = "GET", **options: Any) -> httpx.Response:
    async with running_app(app) as client:
        return await client.request(method, path, **options)


def access_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    formatter = JsonFormatter()
    return [json.loads(formatter.format(r)) for r in caplog.records if r.name == "service_kit.access"]


async def test_request_id_is_made_where_there_is_none() -> None:
    first, second = await call(make_app(), "/who"), await call(make_app(), "/who")
    assert len(first.headers["x-request-id"]) == 16
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert first.json()["outgoing"]["X-Request-ID"] == first.headers["x-request-id"]


async def test_who_asked_is_passed_on() -> None:
    headers = {"X-Request-ID": "abc-1", "traceparent": TRACE, "tracestate": "vendor=1"}
    answer = await call(make_app(), "/who", headers=headers)
    outgoing = answer.json()["outgoing"]
    assert answer.headers["x-request-id"] == "abc-1"
    assert (outgoing["X-Request-ID"], outgoing["traceparent"], outgoing["tracestate"]) == ("abc-1", TRACE, "vendor=1")


@pytest.mark.parametrize("sent", ['a"b', "a b", "x" * 200, "", "ä".encode()])
async def test_request_id_that_could_harm_a_log_is_replaced(sent: str | bytes) -> None:
    answer = await call(make_app(), "/who", headers={"X-Request-ID": sent})
    assert len(answer.headers["x-request-id"]) == 16


async def test_trace_context_that_is_none_is_dropped() -> None:
    answer = await call(make_app(), "/who", headers={"traceparent": "nonsense", "tracestate": "vendor=1"})
    assert not {"traceparent", "tracestate"} & answer.json()["outgoing"].keys()


async def test_deadline_is_the_earlier_of_the_callers_and_the_services() -> None:
    app = make_app(request_timeout_s=20)
    assert 19 < (await call(app, "/who")).json()["remaining_s"] <= 20
    assert 4 < (await call(app, "/who", headers={"X-Deadline-Ms": "5000"})).json()["remaining_s"] <= 5
    assert 19 < (await call(app, "/who", headers={"X-Deadline-Ms": "9" * 40})).json()["remaining_s"] <= 20


@pytest.mark.parametrize(("sent", "status"), [("0", 504), ("000", 504), ("soon", 422), ("-5", 422), ("1.5", 422)])
async def test_deadline_that_has_passed_or_is_none(sent: str, status: int) -> None:
    answer = await call(make_app(), "/who", headers={"X-Deadline-Ms": sent})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_request_that_takes_too_long_is_cut_off() -> None:
    gate = Gate()
    answer = await call(make_app(gate, request_timeout_s=0.3), "/wait")
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
    assert gate.waiting == 1


async def test_stream_that_has_begun_is_not_cut_off() -> None:
    answer = await call(make_app(request_timeout_s=0.3), "/stream")
    assert answer.text == "first second"


async def test_timeout_inside_the_application_is_not_the_deadline(caplog: pytest.LogCaptureFixture) -> None:
    answer = await call(make_app(), "/own-timeout")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "unexpected error" in caplog.text


async def test_error_after_the_answer_began_breaks_it_off(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ZeroDivisionError):
        await call(make_app(), "/broken-stream")
    assert "unexpected error" in caplog.text


@pytest.mark.parametrize("path", ["/size", "/chunks"])
async def test_body_at_the_limit_is_read_and_one_byte_more_refused(path: str) -> None:
    app = make_app(max_body_bytes=1000)
    answer = await call(app, path, method="POST", content=b"x" * 1000)
    assert (answer.status_code, answer.text) == (200, "1000")
    answer = await call(app, path, method="POST", content=b"x" * 1001)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("path", ["/size", "/chunks"])
async def test_body_without_a_length_is_counted(path: str) -> None:
    async def chunks(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 100

    app = make_app(max_body_bytes=1000)
    answer = await call(app, path, method="POST", content=chunks(10))
    assert (answer.status_code, answer.text) == (200, "1000")
    answer = await call(app, path, method="POST", content=chunks(11))
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_more_than_the_limit_in_flight_is_refused_at_once_and_probes_are_not() -> None:
    gate = Gate()
    async with running_app(make_app(gate, max_in_flight=2)) as client:
        running = [asyncio.create_task(client.get("/wait")) for _ in range(2)]
        await gate.reached_by(2)
        refused = await client.get("/wait")
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200
        assert "neurogate_requests_in_flight 2.0" in (await client.get("/metrics")).text
        gate.open.set()
        assert [answer.status_code for answer in await asyncio.gather(*running)] == [200, 200]
        assert (await client.get("/wait")).status_code == 200


async def test_who_only_listens_to_events_takes_the_place_of_nobody() -> None:
    gate = Gate()
    async with running_app(make_app(gate, max_in_flight=1)) as client:
        listening = []
        for number in range(3):
            listening.append(asyncio.create_task(client.get("/events")))
            await gate.reached_by(number + 1)
        assert (await client.get("/who")).status_code == 200
        assert "neurogate_requests_in_flight 0.0" in (await client.get("/metrics")).text
        gate.open.set()
        assert [answer.status_code for answer in await asyncio.gather(*listening)] == [200] * 3
        assert "neurogate_requests_in_flight 0.0" in (await client.get("/metrics")).text


async def test_canceled_request_frees_its_place() -> None:
    gate = Gate()
    async with running_app(make_app(gate, max_in_flight=1)) as client:
        running = asyncio.create_task(client.get("/wait"))
        await gate.reached_by(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (await client.get("/who")).status_code == 200


async def test_context_ends_with_the_request() -> None:
    await call(make_app(), "/who", headers={"X-Request-ID": "abc"})
    assert context.request_id() is None
    assert remaining_s() is None


async def test_service_called_inside_a_request_leaves_its_context_alone() -> None:
    inner = make_app()
    router = APIRouter()
    seen: list[str | None] = []

    @router.get("/outer")
    async def outer() -> Response:
        await call(inner, "/who", headers={"X-Request-ID": "inner"})
        seen.append(context.request_id())
        return Response(b"")

    app = create_service_app(title="t", version="1", settings=ServiceSettings(), routers=[router])
    await call(app, "/outer", headers={"X-Request-ID": "outer"})
    assert seen == ["outer"]


async def test_one_line_for_each_request_without_what_was_asked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "service_kit.access")
    answer = await call(make_app(), "/who?name=Jane", headers={"X-Request-ID": "abc"})
    (line,) = access_lines(caplog)
    assert line == {
        "time": line["time"],
        "level": "info",
        "message": "request",
        "method": "GET",
        "route": "/who",
        "status": 200,
        "ms": line["ms"],
        "bytes": len(answer.content),
        "request_id": "abc",
    }


@pytest.mark.parametrize("path", ["/jane-doe", '/"},{"a":"b', "/%00%22"])
async def test_unknown_paths_and_methods_are_not_repeated(path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "service_kit.access")
    await call(make_app(), path, method="JANE")
    (line,) = access_lines(caplog)
    assert (line["method"], line["route"], line["status"]) == ("-", "-", 404)


async def test_good_probes_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "service_kit.access")
    for path in ("/health/live", "/health/ready", "/metrics"):
        await call(make_app(), path)
    assert access_lines(caplog) == []


async def test_caller_that_leaves_while_sending_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert await ask_directly(make_app(), "/size", lambda: {"type": "http.disconnect"}) == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [line["status"] for line in access_lines(caplog)] == [499]


async def ask_directly(app: FastAPI, path: str, message: Callable[[], dict[str, Any]]) -> list[int]:
    """The statuses that an ASGI server would send."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return message()

    async def send(sent: Any) -> None:
        if sent["type"] == "http.response.start":
            statuses.append(sent["status"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return statuses
