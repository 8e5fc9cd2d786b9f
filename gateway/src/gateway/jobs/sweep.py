"""Erases uploads that nobody needs: of analyses that expired or are finished, and what a crash left behind."""

import asyncio
import logging
from typing import Final, Protocol

from redis.asyncio import Redis

from gateway.blobs.port import BlobStore, Owner
from gateway.jobs import keys
from gateway.jobs.connection import reached
from gateway.jobs.metrics import JobMetrics
from gateway.ports import JobQueue
from gateway.schemas import FINAL_STATES
from service_kit.errors import NotReady

_LOG = logging.getLogger(__name__)
_BATCH: Final = 100
_GAUGES_S: Final = 5.0


class Turn(Protocol):
    """Lets one of many do something."""

    async def take(self, seconds: float) -> bool:
        """Whether it is ours for so long."""


class RedisTurn:
    """Implements `Turn` by a key that expires."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def take(self, seconds: float) -> bool:
        """See the port."""
        async with reached():
            return bool(await self._redis.set(keys.SWEEPING, "1", nx=True, px=max(1, round(seconds * 1000))))


class Sweeper:
    """Also shows the queue's depth to Prometheus."""

    def __init__(
        self, blobs: BlobStore, queue: JobQueue, turn: Turn, metrics: JobMetrics, *, every_s: float, orphan_s: float
    ) -> None:
        self._blobs = blobs
        self._queue = queue
        self._turn = turn
        self._metrics = metrics
        self._every_s = every_s
        self._orphan_s = orphan_s

    async def run(self) -> None:
        """Until it is canceled."""
        while True:
            try:
                self._metrics.show(await self._queue.depth())
                # One worker of all sweeps.
                if await self._turn.take(self._every_s):
                    await self.sweep()
            except NotReady:
                _LOG.warning("the queue or the store of uploads cannot be reached")
            await asyncio.sleep(min(_GAUGES_S, self._every_s))

    async def sweep(self) -> int:
        """Look through all uploads; how many analyses lost theirs. An upload that is being sent is left alone."""
        erased = 0
        batch: list[Owner] = []
        async for owner in self._blobs.owners():
            batch.append(owner)
            if len(batch) == _BATCH:
                erased += await self._erase(batch)
                batch = []
        return erased + await self._erase(batch)

    async def _erase(self, owners: list[Owner]) -> int:
        states = await self._queue.states([owner.id for owner in owners]) if owners else []
        # No state: not accepted yet while it is young, else erased, expired, or never accepted.
        needless = [
            owner.id
            for owner, state in zip(owners, states, strict=True)
            if state in FINAL_STATES or (state is None and owner.age_s > self._orphan_s)
        ]
        erased = 0
        done = {owner.id for owner, state in zip(owners, states, strict=True) if state == "succeeded"}
        for owner_id in needless:
            erased += await self._blobs.delete(owner_id, uploads_alone=owner_id in done)
        if erased:
            _LOG.info("erased the uploads of %d analyses", erased)
        return erased
