"""Jobs as the API sees them, on Redis: accepted, canceled, counted."""

from typing import Final

from redis.asyncio import Redis

from gateway.errors import AlreadyFinished, QueueFull
from gateway.jobs import documents, keys, scripts
from gateway.jobs.connection import analysis_key, found, raw, reached
from gateway.order import Order
from gateway.ports import IdempotencyClaim, QueueDepth
from gateway.schemas import FINAL_STATES, Analysis, Priority

_ROUTINE_RANK: Final = 2**50
"""Added to the number of a routine job, so that every `stat` one is before it. Doubles hold it exactly."""
_RETRY_AFTER_S: Final = 10


class RedisJobQueue:
    """Implements `gateway.ports.JobQueue`. `ttl_s` is how long an analysis is kept after its last change."""

    def __init__(self, redis: Redis, *, ttl_s: int, max_waiting: int) -> None:
        self._redis = redis
        self._ttl_s = ttl_s
        self._max_waiting = max_waiting
        self._accept = redis.register_script(scripts.ACCEPT)
        self._cancel = redis.register_script(scripts.CANCEL)

    async def check_room(self, priority: Priority) -> None:
        """See the port."""
        if (await self.depth()).waiting >= self._limit(priority):
            raise self._full(priority)

    async def accept(
        self, analysis: Analysis, order: Order, claim: IdempotencyClaim | None = None, webhook: str | None = None
    ) -> bytes:
        """See the port. One script: all of it is kept, or nothing."""
        document = analysis.model_dump_json().encode()
        priority = order.options.priority
        expired = keys.earliest_kept(self._ttl_s)
        claimed = ("", "", "") if claim is None else (claim.key, keys.claim(claim.key), claim_text(analysis.id, claim))
        async with reached():
            accepted = await self._accept(
                args=[
                    analysis.id,
                    document,
                    order.model_dump_json(),
                    documents.event(analysis),
                    0 if priority == "stat" else _ROUTINE_RANK,
                    self._limit(priority),
                    self._ttl_s,
                    f"({expired}",
                    *claimed,
                    webhook or "",
                ]
            )
        if not accepted:
            raise self._full(priority)
        return document

    async def cancel(self, analysis_id: str) -> bytes:
        """See the port."""
        key = analysis_key(analysis_id)
        async with reached():
            analysis = Analysis.model_validate_json(found(await self._redis.hget(key, "document")))
            if analysis.state not in FINAL_STATES:
                canceled = documents.in_state(analysis, "canceled")
                document = canceled.model_dump_json().encode()
                event = documents.event(canceled)
                if await self._cancel(args=[analysis_id, document, event, self._ttl_s]):
                    return document
                analysis = Analysis.model_validate_json(found(await self._redis.hget(key, "document")))
        raise AlreadyFinished(
            f"The analysis has {_HAS.get(analysis.state, analysis.state)}: only a queued or running one can be "
            "canceled. DELETE erases it."
        )

    async def depth(self) -> QueueDepth:
        """See the port."""
        async with reached(), self._redis.pipeline(transaction=False) as batch:
            for listing in (keys.WAITING, keys.DELAYED, keys.RUNNING, keys.DUE, keys.DEAD):
                batch.zcard(listing)
            waiting, delayed, running, due, dead = await batch.execute()
        return QueueDepth(waiting + delayed, running, due, dead)

    async def states(self, analysis_ids: list[str]) -> list[str | None]:
        """See the port."""
        async with reached(), self._redis.pipeline(transaction=False) as batch:
            for analysis_id in analysis_ids:
                batch.hget(keys.analysis(analysis_id), "state")
            states: list[bytes | None] = await batch.execute()
        return [None if state is None else raw(state).decode() for state in states]

    def _limit(self, priority: Priority) -> int:
        """The last tenth is for what cannot wait."""
        return self._max_waiting if priority == "stat" else self._max_waiting - self._max_waiting // 10

    def _full(self, priority: Priority) -> QueueFull:
        return QueueFull(
            f"{self._limit(priority)} analyses wait, and no more may: come again, or take DELETE to one of yours.",
            retry_after_s=_RETRY_AFTER_S,
        )


_HAS: Final = {"canceled": "been canceled"}


def claim_text(analysis_id: str, claim: IdempotencyClaim) -> str:
    """What a claim's key holds when it is answered."""
    return f"{analysis_id} {claim.fingerprint}"
