"""httpx to an ASGI application in this process, also for answers that are streams.

`httpx.ASGITransport` gives an answer when all of it is there: of a stream that tells of progress, nothing would be
heard before the end. Only what asks for it is streamed; every other call takes httpx's own way.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import httpx
from starlette.types import ASGIApp, Message

STREAMED: Final = "neurogate.streamed"
"""The request extension that asks for a streamed answer; transports to sockets stream in any case."""

_CHUNKS_AHEAD = 16


class MemoryTransport(httpx.ASGITransport):
    """Calls `app`. A streamed answer that is closed, or not waited for, cancels the application's work."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As httpx's, but streamed where the request's extension says so."""
        if STREAMED not in request.extensions:
            return await super().handle_async_request(request)
        exchange = _Exchange(request)
        exchange.task = asyncio.get_running_loop().create_task(exchange.run(self.app, self.client))
        try:
            await exchange.started.wait()
        except BaseException:
            await exchange.aclose()
            raise
        if exchange.status is None:
            raise exchange.failure()
        return httpx.Response(exchange.status, headers=exchange.headers, stream=exchange)


class _Exchange(httpx.AsyncByteStream):
    """One request and its answer, which passes through a short queue: who reads slowly slows the application down."""

    task: asyncio.Task[None]

    def __init__(self, request: httpx.Request) -> None:
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - an async client's always is
        self._request = request
        self._body = aiter(request.stream)
        self._sent = False
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_CHUNKS_AHEAD)
        self._complete = False
        self._gone = asyncio.Event()
        self._error: Exception | None = None
        self.started = asyncio.Event()
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []

    async def run(self, app: ASGIApp, client: tuple[str, int]) -> None:
        """Let the application answer."""
        url = self._request.url
        scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._request.method,
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "server": (url.host, url.port),
            "client": client,
            "root_path": "",
        }
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - it is handed to who reads the answer
            self._error = error
        self.started.set()
        await self._chunks.put(None)

    def failure(self) -> httpx.TransportError:
        """What a socket would show of an application that ended before its answer did."""
        failed = httpx.RemoteProtocolError("the application ended before its answer did", request=self._request)
        failed.__cause__ = self._error
        return failed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The body, chunk by chunk."""
        while (chunk := await self._chunks.get()) is not None:
            yield chunk
        if not self._complete:
            raise self.failure()

    async def aclose(self) -> None:
        """Nobody reads any more."""
        self._gone.set()
        if not self.task.done():
            self.task.cancel()
            await asyncio.wait((self.task,))

    async def _receive(self) -> Message:
        if self._sent:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        chunk = await anext(self._body, None)
        self._sent = chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
            self.started.set()
        elif message["type"] == "http.response.body":
            if message.get("body"):
                await self._chunks.put(bytes(message["body"]))
            self._complete = not message.get("more_body", False)
