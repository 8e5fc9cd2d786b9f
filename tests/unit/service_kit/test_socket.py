"""What only a real socket shows: connections stay usable after a refusal, and shutdown lets requests end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from fastapi import APIRouter, Request
from starlette.responses import Response

from service_kit.app import create_service_app
from service_kit.settings import ServiceSettings
from tests.unit.service_kit.serving import on_a_socket

LIMIT = 100_000


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One HTTP/1.1 connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, content: bytes) -> None:
        self._writer.write(content)
        await self._writer.drain()

    async def answer(self) -> Answer:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(head[0].split(" ")[1]), headers, body)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    router = APIRouter()

    @router.post("/size")
    async def size(request: Request) -> Response:
        return Response(str(len(await request.body())).encode())

    @router.get("/broken")
    async def broken() -> Response:
        class Broken(Response):
            async def __call__(self, scope: object, receive: object, send: object) -> None:
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})  # type: ignore[operator]
                raise ZeroDivisionError

        return Broken()

    app = create_service_app(title="t", version="1", settings=ServiceSettings(max_body_bytes=LIMIT), routers=[router])
    async with on_a_socket(app) as port:
        yield port


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def post(body: bytes, *, declared: int | None = None) -> bytes:
    length = len(body) if declared is None else declared
    return b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length + body


def chunked(*chunks: bytes) -> bytes:
    head = b"POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


@pytest.mark.parametrize(
    "too_large", [post(b"x" * (LIMIT * 20)), chunked(*[b"x" * 10_000] * 200)], ids=["length", "chunked"]
)
async def test_connection_is_sane_after_a_body_that_is_too_large(port: int, too_large: bytes) -> None:
    async with connected(port) as connection:
        for _ in range(3):
            await connection.send(too_large)
            refused = await connection.answer()
            assert refused.status == 413
            assert refused.headers["content-type"] == "application/problem+json"
            await connection.send(post(b"12345"))
            assert (await connection.answer()).body == b"5"


async def test_refusal_comes_before_the_body(port: int) -> None:
    async with connected(port) as connection:
        await connection.send(post(b"", declared=10**12))
        assert (await connection.answer()).status == 413


async def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    async with connected(port) as connection:
        await connection.send(post(b"1") + post(b"x" * (LIMIT + 1)) + post(b"123"))
        answers = [await connection.answer() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 413, 200]
    assert answers[2].body == b"3"


async def test_half_an_answer_closes_the_connection(port: int) -> None:
    async with connected(port) as connection:
        await connection.send(b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(asyncio.IncompleteReadError):
            await connection.answer()


async def test_caller_that_goes_away_does_not_matter_to_the_next(port: int) -> None:
    async with connected(port) as connection:
        await connection.send(post(b"123", declared=1000))
    async with connected(port) as connection:
        await connection.send(post(b"1234"))
        assert (await connection.answer()).body == b"4"
