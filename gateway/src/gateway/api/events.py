"""Server-sent events: how far a job is, told as it happens (WHATWG HTML, 9.2)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Header, Response
from starlette.responses import StreamingResponse
from starlette.status import HTTP_204_NO_CONTENT

from gateway.ports import JobEvent, JobEvents
from service_kit.errors import InvalidRequest, NotFound, NotReady, Overloaded
from service_kit.problems import declare

_MEDIA_TYPE: Final = "text/event-stream"
_HEARTBEAT_S: Final = 15.0
"""Shorter than the minute after which proxies close a silent connection."""
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_EXAMPLE: Final = """\
retry: 2000

id: 1795262400000-0
event: progress
data: {"state": "running", "stage": "segmentation", "done": 3, "total": 8}

"""
_DESCRIBED: Final = """\
Each event `progress` holds `state`, `stage`, `done` and `total`. The stream ends with the final state. A client that
was cut off sends the last id as `Last-Event-ID` (an EventSource does so by itself) and misses nothing; 204 says that
there is nothing more to come."""


def create_router(events: JobEvents, *, max_streams: int, heartbeat_s: float = _HEARTBEAT_S) -> APIRouter:
    """`GET /v1/analyses/{analysis_id}/events`."""
    router = APIRouter(prefix="/v1/analyses", tags=["analyses"])
    open_streams = 0

    @router.get(
        "/{analysis_id}/events",
        summary="Follow an analysis",
        description=_DESCRIBED,
        response_class=StreamingResponse,
        responses={
            **declare(NotFound, InvalidRequest, NotReady, Overloaded),
            200: {"description": "The events", "content": {_MEDIA_TYPE: {"example": _EXAMPLE}}},
            204: {"description": "The analysis is finished, and its last event was told"},
        },
    )
    async def follow_analysis(
        analysis_id: str, last_event_id: Annotated[str | None, Header(description="Where to go on")] = None
    ) -> Response:
        if open_streams >= max_streams:
            raise Overloaded("As many callers follow events as may: poll the analysis instead.", retry_after_s=5)
        told = events.follow(analysis_id, last_event_id or None)
        try:
            first = await anext(told)  # what is wrong with the request shows here, before the answer begins
        except StopAsyncIteration:
            return Response(status_code=HTTP_204_NO_CONTENT)
        return StreamingResponse(_stream(first, told), media_type=_MEDIA_TYPE, headers=_HEADERS)

    async def _stream(first: JobEvent | None, told: AsyncIterator[JobEvent | None]) -> AsyncIterator[bytes]:
        nonlocal open_streams
        open_streams += 1
        clock = asyncio.get_running_loop().time
        spoke_at = clock()
        try:
            yield b"retry: 2000\n\n" + _encode(first)
            async for event in told:
                if event is not None or clock() - spoke_at >= heartbeat_s:
                    spoke_at = clock()
                    yield _encode(event)
        except NotReady:
            # The queue went away: the client comes again with the id that it has.
            return
        finally:
            open_streams -= 1

    return router


def _encode(event: JobEvent | None) -> bytes:
    """The event; without one a comment, which keeps the connection open and tells when it is gone."""
    return b":\n\n" if event is None else f"id: {event.id}\nevent: progress\ndata: {event.text}\n\n".encode()
