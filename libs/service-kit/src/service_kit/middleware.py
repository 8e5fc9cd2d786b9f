"""The edge of every service, as one plain ASGI middleware: what each request costs is measured and published."""

import asyncio
import http
import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit import logs, problems
from service_kit.context import RequestContext, current
from service_kit.deadline import DEADLINE_HEADER, REQUEST_ID_HEADER
from service_kit.errors import DeadlineExceeded, InvalidRequest, Overloaded, PayloadTooLarge, ServiceError
from service_kit.metrics import RequestMetrics

_log = logging.getLogger(__name__)

# Answered whatever the load: an overloaded service is alive, and must be seen.
EXEMPT_PATHS: Final = frozenset({"/health/live", "/health/ready", "/metrics"})

_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()
_DEADLINE = DEADLINE_HEADER.lower().encode()
_ACCEPTED_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_ACCEPTED_TRACE = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_ACCEPTED_STATE = re.compile(rb"[\x20-\x7e]{1,512}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "-"
_CLIENT_GONE = 499
_EVENTS = b"text/event-stream"


class EdgeMiddleware:
    """Request id, trace context, deadline, body and load limits, problems, access log, metrics."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        max_in_flight: int,
        request_timeout_s: float,
        metrics: RequestMetrics,
        body_limits: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._body_limits = body_limits or {}
        self._max_in_flight = max_in_flight
        self._request_timeout_s = request_timeout_s
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing that goes wrong before the answer begins gets past here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exempt = scope["path"] in EXEMPT_PATHS
        counted = not exempt

        def release() -> None:
            nonlocal counted
            self._metrics.in_flight -= counted
            counted = False

        max_body_bytes = self._body_limits.get(scope["path"], self._max_body_bytes)
        exchange = _Exchange(scope, receive, send, max_body_bytes, release)
        token = current.set(exchange.context(self._request_timeout_s))
        self._metrics.in_flight += counted
        try:
            if counted and self._metrics.in_flight > self._max_in_flight:
                raise Overloaded("this service answers as many requests as it can; come again", retry_after_s=1)
            exchange.check()
            await self._answer(exchange, timed=counted)
        except ServiceError as error:
            if error.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
                _log.warning("answered %s %s: %s", error.status, error.code, error.detail)
            await exchange.refuse(error)
        finally:
            release()
            self._record(exchange, scope, quiet=exempt)
            current.reset(token)

    async def _answer(self, exchange: "_Exchange", *, timed: bool) -> None:
        """Run the application until its answer begins, but no longer than the deadline."""
        deadline_at = current.get().deadline_at
        try:
            if timed and deadline_at is not None:
                async with asyncio.timeout(deadline_at - time.monotonic()) as exchange.timeout:
                    await self._app(exchange.scope, exchange.receive, exchange.send)
            else:
                await self._app(exchange.scope, exchange.receive, exchange.send)
        except ServiceError:
            raise
        except ClientDisconnect:
            exchange.status = exchange.status or _CLIENT_GONE
        except Exception as error:  # the last resort: whatever it is, the caller gets a problem
            if isinstance(error, TimeoutError) and exchange.timeout is not None and exchange.timeout.expired():
                raise DeadlineExceeded("the answer was not ready in time; allow more time or send less") from None
            _log.exception("unexpected error")
            if exchange.status:
                raise  # half an answer must not pass for a whole one: the server closes the connection
            await exchange.refuse(ServiceError("an unexpected error; the log has it under the request_id"))

    def _record(self, exchange: "_Exchange", scope: Scope, *, quiet: bool) -> None:
        seconds = time.perf_counter() - exchange.started
        # Labels come from short lists, never from the caller: else anyone could fill the memory with time series.
        method = scope["method"] if scope["method"] in _METHODS else _OTHER
        route, status = _route(scope), exchange.status or _CLIENT_GONE
        self._metrics.observe(method, route, status, seconds)
        if (quiet and status < http.HTTPStatus.BAD_REQUEST) or not logs.access.isEnabledFor(logging.INFO):
            return
        # Written by hand, as every part is known to need no escaping: a third of json.dumps and Logger.info.
        line = (
            f'"message":"request","method":"{method}","route":"{route}","status":{status},'
            f'"ms":{seconds * 1000:.1f},"bytes":{exchange.sent_bytes},"request_id":"{current.get().request_id}"'
        )
        record = logging.LogRecord(logs.access.name, logging.INFO, "", 0, logs.JsonLine(line), None, None)
        logs.access.handle(record)


class _Exchange:
    """One request and its answer, as they pass."""

    __slots__ = (
        "_deadline_ms",
        "_max_body_bytes",
        "_receive",
        "_received_bytes",
        "_refused",
        "_release",
        "_request_id",
        "_send",
        "_too_large",
        "_traceparent",
        "_tracestate",
        "scope",
        "sent_bytes",
        "started",
        "status",
        "timeout",
    )

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, max_body_bytes: int, release: Callable[[], None]
    ) -> None:
        self.started = time.perf_counter()
        self.scope = scope
        self.status = 0
        self.sent_bytes = 0
        self.timeout: asyncio.Timeout | None = None
        self._receive = receive
        self._send = send
        self._max_body_bytes = max_body_bytes
        self._release = release
        self._received_bytes = 0
        self._too_large = False
        self._refused = False
        self._request_id = b""
        self._traceparent: str | None = None
        self._tracestate: str | None = None
        self._deadline_ms: bytes | None = None
        self._read_headers()

    def _read_headers(self) -> None:
        for name, value in self.scope["headers"]:
            if name == b"content-length":
                self._too_large = value.isdigit() and int(value) > self._max_body_bytes
            elif name == _REQUEST_ID:
                if _ACCEPTED_ID.fullmatch(value):
                    self._request_id = value
            elif name == _DEADLINE:
                self._deadline_ms = value
            elif name == b"traceparent":
                if _ACCEPTED_TRACE.fullmatch(value):
                    self._traceparent = value.decode("ascii")
            elif name == b"tracestate" and _ACCEPTED_STATE.fullmatch(value):
                self._tracestate = value.decode("ascii")

    def context(self, request_timeout_s: float) -> RequestContext:
        """What the request says of itself; an id is made where it has none."""
        if not self._request_id:
            self._request_id = secrets.token_hex(8).encode()
        seconds = request_timeout_s
        if self._deadline_ms is not None and self._deadline_ms.isdigit():
            seconds = min(seconds, int(self._deadline_ms[:12]) / 1000)
        return RequestContext(
            self._request_id.decode("ascii"), self._traceparent, self._tracestate, time.monotonic() + seconds
        )

    def check(self) -> None:
        """Refuse what need not be looked into.

        Raises:
            InvalidRequest: a deadline that is no number.
            DeadlineExceeded: the deadline had passed when the request arrived.
            PayloadTooLarge: by its Content-Length.
        """
        if self._deadline_ms is not None:
            if not self._deadline_ms.isdigit():
                raise InvalidRequest(f"{DEADLINE_HEADER} must be a whole number of milliseconds")
            if not int(self._deadline_ms[:12]):
                raise DeadlineExceeded("the deadline had passed when the request arrived")
        if self._too_large:
            raise self._too_large_error()

    async def receive(self) -> Message:
        """The application's view of the request: cut off at the body limit."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._received_bytes += len(message.get("body", b""))
            if self._received_bytes > self._max_body_bytes:
                # The framework may turn this into an answer of its own: `send` corrects that.
                self._too_large = True
                raise self._too_large_error()
        return message

    async def send(self, message: Message) -> None:
        """The application's answer on its way out."""
        if self._refused:
            return
        if message["type"] == "http.response.start":
            if self._too_large:
                await self.refuse(self._too_large_error())
                return
            self.status = message["status"]
            message.setdefault("headers", [])
            message["headers"] = [*message["headers"], (_REQUEST_ID, self._request_id)]
            if self.timeout is not None:
                # The answer has begun; a stream may take as long as it takes.
                self.timeout.reschedule(None)
            if any(name == b"content-type" and value.startswith(_EVENTS) for name, value in message["headers"]):
                # Who only listens, perhaps for hours, takes the place of nobody who asks.
                self._release()
        elif message["type"] == "http.response.body":
            self.sent_bytes += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, error: ServiceError) -> None:
        """Answer with a problem, if the answer has not begun."""
        if self.status:
            return
        response: Response = problems.render(error)
        response.raw_headers.append((_REQUEST_ID, self._request_id))
        self.status = response.status_code
        self.sent_bytes = len(response.body)
        self._refused = True
        await response(self.scope, self._receive, self._send)

    def _too_large_error(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"the body is larger than {self._max_body_bytes} bytes")


def _route(scope: Scope) -> str:
    """The path's template; a path that matches none is not repeated, as it may name anything."""
    # FastAPI keeps what a router's prefix makes of a route beside the route.
    prefixed = scope.get("fastapi", {}).get("effective_route_context")
    path = getattr(prefixed, "path_format", None) or getattr(scope.get("route"), "path_format", None)
    return path or _OTHER
