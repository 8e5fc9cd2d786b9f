"""An answer that takes long: a stream of frames that say how far the work is, and the answer as the last one."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from pydantic import BaseModel
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service_kit import frames, problems
from service_kit.errors import ServiceError
from service_kit.tensors import MEDIA_TYPE as ENVELOPE_TYPE

_log = logging.getLogger(__name__)

BEAT_S = 5.0
"""No stream is silent for longer: who listens can tell long work from a dead connection."""

Tell = Callable[[int, int], None]
"""Told of `done` and `total`; returns at once."""
Work = Callable[[Tell], Awaitable[list[memoryview]]]
"""Does the work, and gives the last frame, as `frames.encode` makes it."""


class ProgressResponse(StreamingResponse):
    """Runs `work` and streams its progress; it is canceled when the caller goes away.

    A `ServiceError` becomes the last frame's metadata `problem`: the status was sent long before. `release` is called
    once, however it ends.
    """

    media_type = frames.MEDIA_TYPE

    def __init__(self, work: Work, *, release: Callable[[], None], beat_s: float = BEAT_S) -> None:
        self._work = work
        self._release = release
        self._beat_s = beat_s
        super().__init__(self._stream(), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As `StreamingResponse`; here, as a stream whose caller is gone at once never begins."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()

    async def stream_response(self, send: Send) -> None:
        """As `StreamingResponse`, and the work ends with it, not when the garbage is collected."""
        async with contextlib.aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().stream_response(send)

    async def _stream(self) -> AsyncIterator[bytes | memoryview]:
        told: asyncio.Queue[tuple[int, int] | None] = asyncio.Queue()
        work = asyncio.ensure_future(self._work(lambda done, total: told.put_nowait((done, total))))

        def end(ended: "asyncio.Future[list[memoryview]]") -> None:
            if not ended.cancelled():
                ended.exception()  # whoever is gone does not ask for it
            told.put_nowait(None)

        work.add_done_callback(end)
        latest: tuple[int, int] | None = (0, 0)
        try:
            while latest is not None:
                yield frames.progress(*latest)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._beat_s):
                        latest = await told.get()
            for part in _last(work):
                yield part
        finally:
            # Not waited for: who is canceled can wait for nothing. It ends with the tile that is being run.
            work.cancel()


def describe(description: str, example: BaseModel) -> dict[int | str, dict[str, Any]]:
    """`responses` of a call that answers so, as `wire.envelope_answer` does it for one envelope."""
    content = {
        frames.MEDIA_TYPE: {
            "schema": {"type": "string", "format": "binary"},
            "x-result-schema": type(example).model_json_schema(),
            "x-result-example": example.model_dump(mode="json"),
        }
    }
    framing = f"Frames: each a length (8 bytes, little endian) and a body of {ENVELOPE_TYPE}.\n"
    return {200: {"description": framing + description, "content": content}}


def _last(work: "asyncio.Future[list[memoryview]]") -> list[memoryview]:
    try:
        return work.result()
    except ServiceError as error:
        _log.warning("a stream ended with %s: %s", error.code, error.detail, exc_info=error.__cause__)
        problem = error
    except Exception:  # noqa: BLE001 - the last resort, as at the edge: the caller gets a problem
        _log.exception("unexpected error")
        problem = ServiceError("an unexpected error; the log has it under the request_id")
    return frames.encode({}, None, problem=bytes(problems.render(problem).body).decode())
