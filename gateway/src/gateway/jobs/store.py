"""Analyses in Redis: a hash each, which expires as a whole, and one ordered set that lists them."""

import asyncio
import contextlib
import json
from typing import TypeAlias

from redis.asyncio import Redis
from redis.exceptions import RedisError, WatchError

from gateway.analysis_filter import AnalysisFilter
from gateway.blobs.port import FILE, FINDINGS, BlobKey, BlobStore, read
from gateway.errors import IdempotencyKeyReused, RequestInProgress
from gateway.findings import Findings, Page
from gateway.jobs import keys
from gateway.jobs.connection import analysis_key, found, not_found, raw, reached
from gateway.jobs.listing import RedisListing
from gateway.jobs.packing import pack, unpack
from gateway.jobs.volume_packing import unpack_volume
from gateway.ports import IdempotencyClaim
from gateway.reviews import SHOWN_IN
from gateway.volume_findings import VolumeFindings
from service_kit.errors import NotFound

_RUNNING = b"running"
_PROBE_S = 2.0
_Text: TypeAlias = "bytes | bytearray | memoryview[int] | str | int | float"


class RedisStore:
    """Implements `gateway.ports.AnalysisStore`. `running_ttl_s` is how long a dead gateway can hold a claim."""

    def __init__(self, redis: Redis, blobs: BlobStore, *, ttl_s: int, running_ttl_s: int = 60) -> None:
        self._redis = redis
        self._blobs = blobs
        self._ttl_s = ttl_s
        self._running_ttl_s = running_ttl_s
        self._listing = RedisListing(redis)

    async def save(self, findings: Findings, claim: IdempotencyClaim | None = None) -> bytes:
        """One transaction in one round trip; returns the stored document."""
        analysis_id = findings.analysis.id
        document = findings.analysis.model_dump_json().encode()
        fields: dict[_Text, _Text] = {"document": document, "arrays": pack(findings)}
        key = keys.analysis(analysis_id)
        expired = keys.earliest_kept(self._ttl_s)
        async with reached(), self._redis.pipeline(transaction=True) as batch:
            if claim is not None:
                fields["claim"] = claim.key
                batch.set(keys.claim(claim.key), f"{analysis_id} {claim.fingerprint}", ex=self._ttl_s)
            batch.hset(key, mapping=fields)
            batch.expire(key, self._ttl_s)
            batch.zadd(keys.INDEX, {analysis_id: 0})
            batch.zremrangebylex(keys.INDEX, "-", f"({expired}")
            await batch.execute()
        return document

    async def document(self, analysis_id: str) -> bytes:
        """The stored JSON. Raises `NotFound`."""
        async with reached():
            document = await self._redis.hget(analysis_key(analysis_id), "document")
        return found(document)

    async def findings(self, analysis_id: str) -> Findings | VolumeFindings:
        """The analysis with its arrays. Raises `NotFound`, also for one that has not succeeded."""
        async with reached():
            document, arrays = await self._redis.hmget(analysis_key(analysis_id), ["document", "arrays"])
        if document is not None and arrays is None:
            state = json.loads(document)["state"]
            raise NotFound(f"The analysis is {state}: its files are there once it has succeeded.")
        if arrays == keys.IN_BLOBS:
            packed = await read(self._blobs, BlobKey(analysis_id, FINDINGS))
            return await asyncio.to_thread(unpack_volume, found(document), packed)
        return await asyncio.to_thread(unpack, found(document), found(arrays))

    async def page(self, limit: int, cursor: str | None, asked: AnalysisFilter | None = None) -> Page:
        """See the port. Without a filter no document is parsed."""
        if asked is None:
            return await self._listing.page(limit, cursor)
        return await self._listing.matching(limit, cursor, asked)

    async def delete(self, analysis_id: str) -> None:
        """Erase the hash, the list's entry and the idempotency claim. Raises `NotFound`."""
        key = analysis_key(analysis_id)
        async with reached(), self._redis.pipeline(transaction=True) as batch:
            batch.hget(key, "claim")
            batch.delete(key)
            for listing in (keys.INDEX, *keys.JOB_LISTS):
                batch.zrem(listing, analysis_id)
            batch.delete(keys.events(analysis_id))
            claim, deleted, *_ = await batch.execute()
            if claim is not None:
                await self._redis.delete(keys.claim(claim.decode()))
        if not deleted:
            raise not_found()

    async def artifact(self, analysis_id: str, name: str) -> bytes | None:
        """A cached artifact or None. Raises `NotFound` when the analysis is gone.

        Of a reviewed analysis, those that show the reviews are made anew each time: one that was being rendered, or
        lies in the blob store, when a review came in can then never be taken for the present one.
        """
        async with reached(), self._redis.pipeline(transaction=False) as batch:
            batch.exists(key := analysis_key(analysis_id))
            batch.hget(key, f"artifact:{name}")
            batch.hstrlen(key, "arrays")
            batch.hexists(key, "reviews")
            known, content, arrays_bytes, reviewed = await batch.execute()
        if not known:
            raise not_found()
        if reviewed and name in SHOWN_IN:
            return None
        cached: bytes | None = content
        if cached is None and arrays_bytes == len(keys.IN_BLOBS):
            with contextlib.suppress(NotFound):  # not rendered yet
                cached = await read(self._blobs, BlobKey(analysis_id, FILE + name))
        return cached

    async def keep_artifact(self, analysis_id: str, name: str, content: bytes) -> None:
        """Cache it beside the arrays. The hash is watched, so that a delete in between does not bring it back.

        Files of a volume go to the blob store as its findings did: some of them would fill Redis.
        """
        key = analysis_key(analysis_id)
        async with reached():
            if name in SHOWN_IN and await self._redis.hexists(key, "reviews"):
                return
            in_blobs = await self._redis.hstrlen(key, "arrays") == len(keys.IN_BLOBS)
        if in_blobs:
            async with self._blobs.create(BlobKey(analysis_id, FILE + name)) as blob:
                await blob.write(content)
            return
        async with reached(), self._redis.pipeline(transaction=True) as batch:
            await batch.watch(key)
            if not await batch.exists(key):
                return
            batch.multi()  # type: ignore[no-untyped-call]
            batch.hset(key, f"artifact:{name}", content)
            with contextlib.suppress(WatchError):  # somebody else rendered or erased it: nothing to keep
                await batch.execute()

    async def claim(self, claim: IdempotencyClaim) -> bytes | None:
        """Take the key, or the document that was stored under it.

        Raises:
            RequestInProgress: the first request runs.
            IdempotencyKeyReused: its body was another.
        """
        key = keys.claim(claim.key)
        running = b"%b %b" % (_RUNNING, claim.fingerprint.encode())
        async with reached():
            if await self._redis.set(key, running, nx=True, ex=self._running_ttl_s):
                return None
            held = raw(await self._redis.get(key) or running)
            owner, _, fingerprint = held.partition(b" ")
            if fingerprint != claim.fingerprint.encode():
                raise IdempotencyKeyReused("This Idempotency-Key was used with another body: send a new key.")
            if owner == _RUNNING:
                raise RequestInProgress("The first request with this Idempotency-Key is running.", retry_after_s=1)
            document = await self._redis.hget(keys.analysis(owner.decode()), "document")
            if document is None:  # evicted: answer the request anew
                await self._redis.set(key, running, ex=self._running_ttl_s)
                return None
            return raw(document)

    async def release(self, claim: IdempotencyClaim) -> None:
        """Give the key back."""
        async with reached():
            await self._redis.delete(keys.claim(claim.key))

    async def ready(self) -> bool:
        """Whether Redis answers a ping."""
        try:
            async with asyncio.timeout(_PROBE_S):
                return bool(await self._redis.ping())
        except (RedisError, OSError, TimeoutError):
            return False
