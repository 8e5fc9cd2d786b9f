"""One service over HTTP: the deadline and the trace go along, and its failures become this gateway's errors."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator, Sequence
from typing import Any

import httpx

from service_kit.deadline import outgoing_headers, remaining_s
from service_kit.errors import DeadlineExceeded, NotReady, Overloaded, ServiceError, UpstreamFailed
from service_kit.memory_transport import STREAMED

_LOG = logging.getLogger(__name__)
_RETRY_AFTER_S = 2
_PROBE_S = 2.0
# Kept back from the caller's deadline, so that a late stage is named, or done without, before the edge gives up.
_RESERVE_S = 0.05
_CONNECT_S = 2.0
_PART_BYTES = 1 << 20


class Refused(ServiceError):
    """The service refused our request (422). Whether that is the caller's fault or ours, the client knows.

    Attributes:
        errors: the fields at fault, as the service's problem names them.
    """

    code = "upstream_failed"
    title = UpstreamFailed.title
    status = 502

    def __init__(self, detail: str, *, stage: str, errors: list[dict[str, Any]]) -> None:
        super().__init__(detail, stage=stage)
        self.errors = errors


class Upstream:
    """A service's address on the shared HTTP client. `timeout_s` caps each call, the caller's deadline may cut it."""

    def __init__(self, http: httpx.AsyncClient, url: str, *, service: str, timeout_s: float) -> None:
        self._http = http
        self._url = httpx.URL(url)
        self._urls: dict[str, httpx.URL] = {}
        self._service = service
        self._timeout_s = timeout_s

    async def call(
        self,
        method: str,
        path: str,
        *,
        stage: str,
        content: bytes | None = None,
        media_type: str = "application/json",
        params: dict[str, str] | None = None,
    ) -> bytes:
        """The answer's body. `path` may hold a query that is the same at every call; `params` is what varies.

        Raises:
            NotReady: the service cannot be reached, or says that it is not ready.
            Overloaded: it has too much to do.
            DeadlineExceeded: no answer in time.
            Refused: it answered 422.
            UpstreamFailed: any other answer that is no success.
        """
        timeout_s = self._left_s(stage, self._timeout_s)
        headers = outgoing_headers()
        if content is not None:
            headers["content-type"] = media_type
        url = self._address(path)
        if params:
            url = url.copy_merge_params(params)
        # The total is bounded here: httpx's own timeouts are for each read, and an app in memory knows none.
        extensions = {"timeout": _timeouts(timeout_s)}
        request = httpx.Request(method, url, headers=headers, content=content, extensions=extensions)
        with self._failures(stage, timeout_s):
            async with asyncio.timeout(timeout_s):
                response = await self._http.send(request)
        if response.is_success:
            return response.content
        raise self._error(response, stage)

    @contextlib.asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        stage: str,
        parts: Sequence[memoryview],
        media_type: str,
        silence_s: float,
        params: dict[str, str] | None = None,
    ) -> AsyncIterator[AsyncIterable[bytes]]:
        """POST `parts` as one body, and read the answer as it comes; leaving the context closes the connection.

        The answer may take as long as it takes, within the caller's deadline, but its beginning and each piece of it
        must come within `silence_s`; so must the body be taken.

        Raises:
            NotReady, Overloaded, DeadlineExceeded, Refused, UpstreamFailed: as `call`, also while the answer is read.
        """
        headers = outgoing_headers()
        headers |= {"content-type": media_type, "content-length": str(sum(map(len, parts)))}
        request = httpx.Request(
            "POST",
            self._address(path).copy_merge_params(params or {}),
            headers=headers,
            content=_pieces(parts),
            extensions={"timeout": _timeouts(silence_s), STREAMED: True},
        )
        async with contextlib.AsyncExitStack() as opened:
            limit_s = self._left_s(stage, silence_s)
            with self._failures(stage, limit_s):
                async with asyncio.timeout(limit_s):
                    response = await self._http.send(request, stream=True)
                    opened.push_async_callback(response.aclose)
                    if not response.is_success:
                        await response.aread()
            if not response.is_success:
                raise self._error(response, stage)
            yield await opened.enter_async_context(contextlib.aclosing(self._chunks(response, stage, silence_s)))

    async def _chunks(self, response: httpx.Response, stage: str, silence_s: float) -> AsyncGenerator[bytes, None]:
        chunks = response.aiter_raw()
        while True:
            limit_s = self._left_s(stage, silence_s)
            with self._failures(stage, limit_s):
                async with asyncio.timeout(limit_s):
                    chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk

    @contextlib.contextmanager
    def _failures(self, stage: str, limit_s: float) -> Iterator[None]:
        try:
            yield
        except httpx.PoolTimeout as error:
            raise Overloaded(
                f"Too many calls to the {self._service} wait.", stage=stage, retry_after_s=_RETRY_AFTER_S
            ) from error
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise DeadlineExceeded(f"The {self._service} did not answer in {limit_s:.1f} s.", stage=stage) from error
        except httpx.TransportError as error:
            _LOG.warning("%s cannot be reached: %s", self._service, type(error).__name__)
            raise NotReady(
                f"The {self._service} cannot be reached.", stage=stage, retry_after_s=_RETRY_AFTER_S
            ) from error

    async def ready(self) -> bool:
        """Whether the service says that it is ready."""
        try:
            async with asyncio.timeout(_PROBE_S):
                await self.call("GET", "/health/ready", stage="health")
        except (ServiceError, TimeoutError):
            return False
        return True

    def _address(self, path: str) -> httpx.URL:
        """Parsing an address costs more than the call's other preparations: it is done once. Paths are our own."""
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = self._url.join(path)
        return url

    def _left_s(self, stage: str, limit_s: float) -> float:
        left = remaining_s()
        if left is None:
            return limit_s
        if left <= _RESERVE_S:
            raise DeadlineExceeded(f"No time was left for the stage {stage}.", stage=stage)
        return min(left - _RESERVE_S, limit_s)

    def _error(self, response: httpx.Response, stage: str) -> ServiceError:
        problem = _problem(response)
        code, detail = str(problem.get("code", "")), str(problem.get("detail", ""))
        status = response.status_code
        if status in {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS}:
            kind = NotReady if code == NotReady.code else Overloaded
            word = "is not ready" if kind is NotReady else "has too much to do"
            return kind(f"The {self._service} {word}.", stage=stage, retry_after_s=_retry_after_s(response))
        if status == httpx.codes.GATEWAY_TIMEOUT:
            return DeadlineExceeded(f"The {self._service} ran out of time.", stage=stage)
        if status == httpx.codes.UNPROCESSABLE_ENTITY:
            errors = problem.get("errors")
            return Refused(detail, stage=stage, errors=errors if isinstance(errors, list) else [])
        _LOG.error("%s answered %s %s: %s", self._service, status, code, detail)
        return UpstreamFailed(f"The {self._service} answered {status} {code}".rstrip() + ".", stage=stage)


def _timeouts(limit_s: float) -> dict[str, float | None]:
    return {"connect": min(limit_s, _CONNECT_S), "read": None, "write": None, "pool": limit_s}


async def _pieces(parts: Sequence[memoryview]) -> AsyncIterator[bytes]:
    """The body in pieces, each copied only when it is sent."""
    for part in parts:
        for at in range(0, len(part), _PART_BYTES):
            yield bytes(part[at : at + _PART_BYTES])


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after_s(response: httpx.Response) -> int:
    text = response.headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdigit() else _RETRY_AFTER_S
