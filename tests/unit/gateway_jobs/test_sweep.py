"""Uploads that nobody needs are found; all others are left alone."""

import asyncio
from random import Random

from prometheus_client import CollectorRegistry, generate_latest
from redis.asyncio import Redis

from gateway.analysis_id import new_analysis_id
from gateway.blobs.port import BlobKey
from gateway.jobs.metrics import JobMetrics
from gateway.jobs.queue import RedisJobQueue
from gateway.jobs.sweep import RedisTurn, Sweeper
from tests.unit.gateway_jobs.fakes import FakeBlobs, FakeQueue, until


class OneTurn:
    """The first who asks has it."""

    def __init__(self) -> None:
        self.taken = 0

    async def take(self, seconds: float) -> bool:
        self.taken += 1
        return self.taken == 1


def sweeper(blobs: FakeBlobs, queue: FakeQueue, metrics: JobMetrics | None = None) -> Sweeper:
    shown = metrics or JobMetrics(CollectorRegistry())
    return Sweeper(blobs, queue, OneTurn(), shown, every_s=0.01, orphan_s=100)  # type: ignore[arg-type]


def with_uploads(count: int) -> tuple[FakeBlobs, list[str]]:
    blobs = FakeBlobs()
    owners = [new_analysis_id() for _ in range(count)]
    blobs.kept = {BlobKey(owner, f"upload-{number}"): b"1" for owner in owners for number in range(2)}
    return blobs, owners


async def test_uploads_of_finished_and_of_no_analyses_go() -> None:
    blobs, (queued, running, succeeded, canceled, unknown) = with_uploads(5)
    states = {queued: "queued", running: "running", succeeded: "succeeded", canceled: "canceled"}
    blobs.age_s = 101
    assert await sweeper(blobs, FakeQueue(states)).sweep() == 3
    assert {key.owner for key in blobs.kept} == {queued, running}
    assert unknown in blobs.deleted


async def test_an_upload_that_is_just_being_sent_is_left_alone() -> None:
    blobs, _ = with_uploads(3)
    blobs.age_s = 99
    assert await sweeper(blobs, FakeQueue()).sweep() == 0
    assert len(blobs.kept) == 6


async def test_many_are_looked_at_in_batches() -> None:
    blobs, owners = with_uploads(250)
    assert await sweeper(blobs, FakeQueue(dict.fromkeys(owners, "failed"))).sweep() == 250


async def test_the_depth_is_shown() -> None:
    registry = CollectorRegistry()
    blobs, _ = with_uploads(1)
    blobs.age_s = 1000
    task = asyncio.create_task(sweeper(blobs, FakeQueue(), JobMetrics(registry)).run())
    await until(lambda: not blobs.kept)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    shown = generate_latest(registry).decode()
    assert "neurogate_jobs_waiting 3.0" in shown
    assert "neurogate_jobs_running 2.0" in shown


async def test_one_of_all_workers_has_the_turn(redis: Redis) -> None:
    assert [await RedisTurn(redis).take(0.2) for _ in range(3)] == [True, False, False]
    await asyncio.sleep(0.25)
    assert await RedisTurn(redis).take(0.2)


async def test_a_sweep_that_is_canceled_while_it_connects_ends(redis_socket: str) -> None:
    random = Random(3)  # the client loses a cancellation in some of the moments of its first connection
    for _ in range(60):
        redis: Redis = Redis(unix_socket_path=redis_socket, socket_timeout=5, socket_connect_timeout=5)
        queue, metrics = RedisJobQueue(redis, ttl_s=60, max_waiting=9), JobMetrics(CollectorRegistry())
        begun = Sweeper(FakeBlobs(), queue, RedisTurn(redis), metrics, every_s=300, orphan_s=100)
        task = asyncio.create_task(begun.run())
        await asyncio.sleep(random.random() * 0.004)
        task.cancel()
        _, still = await asyncio.wait([task], timeout=20)
        assert not still
        await redis.aclose()
