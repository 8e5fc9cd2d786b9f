"""A queue and a blob store in memory, behind the ports."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

from gateway.blobs.port import UPLOAD, BlobKey, Owner
from gateway.findings import Findings
from gateway.jobs.execution import Reporter
from gateway.jobs.lease import Lease
from gateway.ports import QueueDepth
from service_kit.errors import NotFound, NotReady, ServiceError


@dataclass
class FakeLeases:
    """Hands out `waiting`, and writes down what becomes of each. `away` calls fail first; `held` is every answer."""

    waiting: list[Lease] = field(default_factory=list)
    held: bool = True
    away: int = 0
    renewed: int = 0
    reported: list[tuple[str, int, int]] = field(default_factory=list)
    succeeded: list[str] = field(default_factory=list)
    failed: list[tuple[str, ServiceError]] = field(default_factory=list)
    given_back: list[tuple[str, float, bool]] = field(default_factory=list)

    def _reach(self) -> None:
        if self.away:
            self.away -= 1
            raise NotReady("The queue is away.")

    async def claim(self) -> Lease | None:
        self._reach()
        return self.waiting.pop(0) if self.waiting else None

    async def renew(self, lease: Lease) -> bool:
        self._reach()
        self.renewed += 1
        return self.held

    async def report(self, lease: Lease) -> bool:
        self._reach()
        progress = lease.analysis.progress
        self.reported.append((progress.stage, progress.done, progress.total))
        return self.held

    async def succeed(self, lease: Lease, findings: Findings) -> bool:
        self._reach()
        self.succeeded.append(lease.id)
        return self.held

    async def fail(self, lease: Lease, error: ServiceError) -> bool:
        self._reach()
        self.failed.append((lease.id, error))
        return self.held

    async def give_back(self, lease: Lease, *, delay_s: float = 0.0, free: bool = False) -> bool:
        self._reach()
        self.given_back.append((lease.id, delay_s, free))
        if not delay_s and not free:
            self.waiting.append(replace(lease, tries=lease.tries + 1))
        return self.held


class FakeBlobs:
    """Blobs in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[BlobKey, bytes] = {}
        self.age_s = 0.0
        self.deleted: list[str] = []

    @contextlib.asynccontextmanager
    async def create(self, key: BlobKey) -> AsyncIterator["_Writer"]:
        writer = _Writer()
        yield writer
        self.kept[key] = b"".join(writer.chunks)

    async def open(self, key: BlobKey) -> AsyncIterator[bytes]:
        if key not in self.kept:
            raise NotFound("gone")
        yield self.kept[key]

    async def delete(self, owner: str, *, uploads_alone: bool = False) -> bool:
        self.deleted.append(owner)
        before = len(self.kept)
        self.kept = {
            k: content
            for k, content in self.kept.items()
            if k.owner != owner or (uploads_alone and not k.name.startswith(UPLOAD))
        }
        return len(self.kept) < before

    async def owners(self) -> AsyncIterator[Owner]:
        for owner in {key.owner for key in self.kept}:
            yield Owner(owner, self.age_s)

    async def ready(self) -> bool:
        return True


class _Writer:
    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    async def write(self, chunk: bytes) -> None:
        self.chunks.append(chunk)


@dataclass
class FakeExecution:
    """Runs `work`, and counts."""

    work: Callable[[Reporter], Awaitable[Findings]]
    runs: int = 0

    async def run(self, lease: Lease, reporter: Reporter) -> Findings:
        self.runs += 1
        return await self.work(reporter)


@dataclass
class FakeQueue:
    """Only what the sweeper asks."""

    known: dict[str, str] = field(default_factory=dict)

    async def depth(self) -> QueueDepth:
        return QueueDepth(3, 2, 1, 0)

    async def states(self, analysis_ids: list[str]) -> list[str | None]:
        return [self.known.get(analysis_id) for analysis_id in analysis_ids]


async def until(condition: Callable[[], object], within_s: float = 10) -> None:
    """Look until it is so."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - there is nobody to tell
            await asyncio.sleep(0.005)
