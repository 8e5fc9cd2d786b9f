"""An application in memory is heard while it answers, and hears when nobody listens any more."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service_kit.memory_transport import STREAMED, MemoryTransport

URL = "http://service/v1/long"


class LongAnswer:
    """Echoes the body's size, then counts as the test lets it."""

    def __init__(self) -> None:
        self.gates = [asyncio.Event() for _ in range(3)]
        self.ended = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message["body"]), message["more_body"]

        async def body() -> AsyncIterator[bytes]:
            try:
                yield f"{scope['path']} {size}".encode()
                for number, gate in enumerate(self.gates):
                    await gate.wait()
                    if self.error is not None:
                        raise self.error
                    yield str(number).encode()
            finally:
                self.ended.set()

        await StreamingResponse(body(), status_code=202, headers={"x-kind": "long"})(scope, receive, send)


@pytest.fixture
def app() -> LongAnswer:
    return LongAnswer()


def client(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=MemoryTransport(app=app), trust_env=False)


async def uploaded() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b"12345"


def request(http: httpx.AsyncClient) -> httpx.Request:
    return http.build_request("POST", URL, content=uploaded(), extensions={STREAMED: True})


async def test_chunks_come_as_they_are_sent(app: LongAnswer) -> None:
    async with client(app) as http:
        response = await http.send(request(http), stream=True)
        assert (response.status_code, response.headers["x-kind"]) == (202, "long")
        chunks = response.aiter_bytes()
        assert await anext(chunks) == b"/v1/long 15"
        for number, gate in enumerate(app.gates):
            assert not app.ended.is_set()
            gate.set()
            assert await anext(chunks) == str(number).encode()
        assert await anext(chunks, None) is None
        await response.aclose()
    assert app.ended.is_set()


async def test_an_answer_that_is_closed_cancels_the_application(app: LongAnswer) -> None:
    async with client(app) as http:
        response = await http.send(request(http), stream=True)
        assert await anext(response.aiter_bytes()) == b"/v1/long 15"
        await response.aclose()
        assert app.ended.is_set()


async def test_a_caller_that_is_canceled_before_the_answer_cancels_the_application() -> None:
    begun, canceled = asyncio.Event(), asyncio.Event()

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            canceled.set()
            raise

    async with client(silent) as http:
        call = asyncio.create_task(http.send(request(http), stream=True))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert canceled.is_set()


async def test_an_application_that_fails_looks_like_a_connection_that_broke(app: LongAnswer) -> None:
    app.error = KeyError("a defect")
    async with client(app) as http:
        response = await http.send(request(http), stream=True)
        app.gates[0].set()
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            _ = [chunk async for chunk in response.aiter_bytes()]
        await response.aclose()
    assert caught.value.__cause__ is not None

    async def no_answer(scope: Scope, receive: Receive, send: Send) -> None:
        return

    async with client(no_answer) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.send(request(http), stream=True)


async def test_other_calls_take_the_plain_way(app: LongAnswer) -> None:
    for gate in app.gates:
        gate.set()
    async with client(app) as http:
        response = await http.post(URL, content=b"12345")
    assert (response.status_code, response.text) == (202, "/v1/long 5012")
