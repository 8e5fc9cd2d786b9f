"""Jobs as a worker sees them, on Redis."""

import asyncio
from typing import Final, TypeAlias

from redis.asyncio import Redis

from gateway.blobs.port import FINDINGS, BlobKey, BlobStore
from gateway.findings import Findings
from gateway.jobs import documents, keys, scripts
from gateway.jobs.connection import reached
from gateway.jobs.lease import Lease
from gateway.jobs.packing import pack
from gateway.jobs.volume_packing import pack_volume
from gateway.order import Order
from gateway.schemas import Analysis
from gateway.volume_findings import VolumeFindings
from service_kit.errors import ServiceError

_MS: Final = 1000
_Argument: TypeAlias = str | int | bytes


class RedisLeases:
    """Implements `gateway.jobs.lease.Leases`. A lease that is not renewed for `lease_s` goes to whoever asks next."""

    def __init__(self, redis: Redis, blobs: BlobStore, *, ttl_s: int, lease_s: float) -> None:
        self._blobs = blobs
        self._ttl_s = ttl_s
        self._lease_ms = round(lease_s * _MS)
        self._claim = redis.register_script(scripts.CLAIM)
        self._renew = redis.register_script(scripts.RENEW)
        self._report = redis.register_script(scripts.REPORT)
        self._finish = redis.register_script(scripts.FINISH)
        self._give_back = redis.register_script(scripts.GIVE_BACK)

    async def claim(self) -> Lease | None:
        """See the port."""
        async with reached():
            claimed = await self._claim(args=[self._lease_ms, self._ttl_s])
        if claimed is None:
            return None
        _, fence, tries, document, order = claimed
        analysis = Analysis.model_validate_json(document)
        return Lease(analysis, Order.model_validate_json(order), fence, tries).at_step("decode", 0, 1)

    async def renew(self, lease: Lease) -> bool:
        """See the port."""
        async with reached():
            return bool(await self._renew(args=[lease.id, lease.fence, self._lease_ms, self._ttl_s]))

    async def report(self, lease: Lease) -> bool:
        """See the port."""
        analysis = lease.analysis
        arguments: list[_Argument] = [
            lease.id,
            lease.fence,
            analysis.model_dump_json(),
            documents.event(analysis),
            self._ttl_s,
        ]
        async with reached():
            return bool(await self._report(args=arguments))

    async def succeed(self, lease: Lease, findings: Findings | VolumeFindings) -> bool:
        """See the port. What was found in a volume is in the blob store before Redis says that it is there."""
        analysis = documents.succeeded(lease.analysis, findings)
        if isinstance(findings, VolumeFindings):
            packed = await asyncio.to_thread(pack_volume, findings)
            async with self._blobs.create(BlobKey(lease.id, FINDINGS)) as blob:
                await blob.write(packed)
            return await self._finished(lease, analysis, keys.IN_BLOBS)
        return await self._finished(lease, analysis, await asyncio.to_thread(pack, findings))

    async def fail(self, lease: Lease, error: ServiceError) -> bool:
        """See the port."""
        return await self._finished(lease, documents.failed(lease.analysis, error), b"")

    async def give_back(self, lease: Lease, *, delay_s: float = 0.0, free: bool = False) -> bool:
        """See the port."""
        analysis = documents.in_state(lease.analysis, "queued")
        arguments: list[_Argument] = [
            lease.id,
            lease.fence,
            analysis.model_dump_json(),
            documents.event(analysis),
            self._ttl_s,
        ]
        async with reached():
            return bool(await self._give_back(args=[*arguments, round(delay_s * _MS), -1 if free else 0]))

    async def _finished(self, lease: Lease, analysis: Analysis, arrays: bytes) -> bool:
        document, event = analysis.model_dump_json(), documents.event(analysis)
        arguments: list[_Argument] = [lease.id, lease.fence, analysis.state, document, event, self._ttl_s, arrays]
        async with reached():
            return bool(await self._finish(args=arguments))
