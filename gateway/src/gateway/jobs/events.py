"""A job's events, on a Redis stream: what was told, and what is told from now on."""

import re
from collections.abc import AsyncIterator
from typing import Any, Final

from redis.asyncio import Redis

from gateway.jobs import documents, keys
from gateway.jobs.connection import analysis_key, found, raw, reached
from gateway.ports import JobEvent
from gateway.schemas import FINAL_STATES, Analysis
from service_kit.errors import InvalidRequest

_FROM_THE_START: Final = "0-0"
_ID: Final = re.compile(r"\d{1,20}-\d{1,20}")
_WAIT_MS: Final = 1000
"""Shorter than the connection's timeout."""


class RedisEvents:
    """Implements `gateway.ports.JobEvents`. `wait_ms` is how long one read waits for the next event."""

    def __init__(self, redis: Redis, *, wait_ms: int = _WAIT_MS) -> None:
        self._redis = redis
        self._wait_ms = wait_ms

    async def follow(self, analysis_id: str, after: str | None = None) -> AsyncIterator[JobEvent | None]:
        """See the port."""
        last = after or _FROM_THE_START
        if not _ID.fullmatch(last):
            raise InvalidRequest("Last-Event-ID: not the id of an event that was sent.")
        key, stream = analysis_key(analysis_id), keys.events(analysis_id)
        async with reached():
            analysis = Analysis.model_validate_json(found(await self._redis.hget(key, "document")))
            told = bool(await self._redis.exists(stream))
        if not told:  # it was answered at once: it never had more to tell than its end
            if after is None:
                yield JobEvent(_FROM_THE_START, documents.event(analysis))
            return
        while True:
            async with reached():
                # Asked first: what is said before the end is in the stream when the end is seen.
                state = await self._redis.hget(key, "state")
                final = state is None or raw(state).decode() in FINAL_STATES
                # Without a wait, BLOCK must be left out: 0 waits for ever.
                answer: Any = await self._redis.xread({stream: last}, count=100, block=None if final else self._wait_ms)
            told_now = [entry for _, entries in answer for entry in entries]
            for event_id, fields in told_now:
                last = raw(event_id).decode()
                text = raw(fields[b"event"]).decode()
                yield JobEvent(last, text)
            if final and not told_now:
                return
            if not told_now:
                yield None
