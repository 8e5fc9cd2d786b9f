"""The queue on a real Redis: who gets which job, and who may still settle it."""

import asyncio

import numpy as np
import pytest
from redis.asyncio import Redis

from gateway.errors import AlreadyFinished, IdempotencyKeyReused, QueueFull
from gateway.jobs import keys
from gateway.jobs.lease import Lease
from gateway.jobs.queue import RedisJobQueue
from gateway.ports import IdempotencyClaim
from service_kit.errors import NotFound, NotReady, UpstreamFailed
from tests.unit.gateway_jobs.jobs import TTL_S, Jobs, jobs_on, some_findings

CLAIM = IdempotencyClaim("anonymous key-1", "f" * 64)


@pytest.fixture
def jobs(redis: Redis) -> Jobs:
    return jobs_on(redis)


async def claimed(jobs: Jobs) -> Lease:
    lease = await jobs.leases.claim()
    assert lease is not None
    return lease


async def test_a_job_goes_from_queued_over_running_to_succeeded(jobs: Jobs) -> None:
    analysis_id = await jobs.accept()
    assert (await jobs.analysis(analysis_id)).state == "queued"
    lease = await claimed(jobs)
    assert (lease.id, lease.tries, lease.order.record) == (analysis_id, 1, {"age": 61})
    assert await jobs.leases.report(lease.at_step("segmentation", 3, 8))
    running = await jobs.analysis(analysis_id)
    assert (running.state, running.progress.stage, running.progress.done) == ("running", "segmentation", 3)
    with pytest.raises(NotFound, match="running"):
        await jobs.store.findings(analysis_id)
    findings = await some_findings()
    assert await jobs.leases.succeed(lease, findings)
    kept = await jobs.store.findings(analysis_id)
    assert (kept.analysis.id, kept.analysis.state) == (analysis_id, "succeeded")
    assert kept.analysis.created_at == lease.analysis.created_at
    assert all(analysis_id in link for link in kept.analysis.links.values())
    np.testing.assert_array_equal(kept.pixels, findings.pixels)
    assert await jobs.leases.claim() is None
    assert await jobs.redis.zcard(keys.RUNNING) == 0


async def test_nothing_of_the_order_is_kept_when_it_is_finished(jobs: Jobs) -> None:
    analysis_id = await jobs.accept()
    await jobs.leases.fail(await claimed(jobs), UpstreamFailed("no"))
    assert await jobs.redis.hget(keys.analysis(analysis_id), "order") is None


async def test_stat_goes_before_routine_and_each_in_the_order_of_arrival(jobs: Jobs) -> None:
    first, second = await jobs.accept(), await jobs.accept()
    urgent, later = await jobs.accept(priority="stat"), await jobs.accept(priority="stat")
    assert [(await claimed(jobs)).id for _ in range(4)] == [urgent, later, first, second]


async def test_a_full_queue_refuses_and_keeps_its_last_tenth_for_stat(redis: Redis) -> None:
    jobs = jobs_on(redis, max_waiting=10)
    for _ in range(9):
        await jobs.accept()
    with pytest.raises(QueueFull) as full:
        await jobs.accept()
    assert (full.value.status, full.value.retry_after_s) == (429, 10)
    await jobs.queue.check_room("stat")
    await jobs.accept(priority="stat")
    with pytest.raises(QueueFull):
        await jobs.accept(priority="stat")
    with pytest.raises(QueueFull):
        await jobs.queue.check_room("stat")
    assert await jobs.redis.zcard(keys.INDEX) == 10
    await claimed(jobs)
    await jobs.accept(priority="stat")


async def test_a_lease_that_is_not_renewed_goes_to_the_next_worker(redis: Redis) -> None:
    jobs = jobs_on(redis, lease_s=0.2)
    analysis_id = await jobs.accept()
    dead = await claimed(jobs)
    assert await jobs.leases.claim() is None
    await asyncio.sleep(0.25)
    again = await claimed(jobs)
    assert (again.id, again.tries) == (analysis_id, 2)
    assert again.fence > dead.fence


async def test_a_renewed_lease_holds_for_five_times_its_span(redis: Redis) -> None:
    jobs = jobs_on(redis, lease_s=0.4)
    await jobs.accept()
    lease = await claimed(jobs)
    for _ in range(20):
        await asyncio.sleep(0.1)
        assert await jobs.leases.renew(lease)
        assert await jobs.leases.claim() is None


async def test_who_is_late_but_before_anybody_else_keeps_the_job(redis: Redis) -> None:
    jobs = jobs_on(redis, lease_s=0.1)
    await jobs.accept()
    lease = await claimed(jobs)
    await asyncio.sleep(0.15)
    assert await jobs.leases.renew(lease)
    assert await jobs.leases.claim() is None


async def test_an_execution_that_lost_its_lease_changes_nothing(redis: Redis) -> None:
    jobs = jobs_on(redis, lease_s=0.1)
    analysis_id = await jobs.accept()
    stale = await claimed(jobs)
    await asyncio.sleep(0.15)
    fresh = await claimed(jobs)
    findings = await some_findings()
    assert not await jobs.leases.renew(stale)
    assert not await jobs.leases.report(stale.at_step("tumor", 0, 1))
    assert not await jobs.leases.give_back(stale)
    assert not await jobs.leases.fail(stale, UpstreamFailed("late"))
    assert not await jobs.leases.succeed(stale, findings)
    assert (await jobs.analysis(analysis_id)).state == "queued"  # the fresh one has reported nothing yet
    assert await jobs.leases.succeed(fresh, findings)
    assert not await jobs.leases.succeed(stale, findings)
    assert (await jobs.analysis(analysis_id)).state == "succeeded"


async def test_a_save_that_is_sent_twice_is_one_save(jobs: Jobs) -> None:
    analysis_id = await jobs.accept(webhook="https://example.org/")
    lease = await claimed(jobs)
    findings = await some_findings()
    assert await jobs.leases.succeed(lease, findings)
    told = await jobs.redis.xlen(keys.events(analysis_id))
    assert await jobs.leases.succeed(lease, findings)
    assert await jobs.redis.xlen(keys.events(analysis_id)) == told


async def test_what_is_given_back_keeps_its_place_and_its_tries(jobs: Jobs) -> None:
    first, second = await jobs.accept(), await jobs.accept()
    lease = await claimed(jobs)
    assert await jobs.leases.give_back(lease, free=True)
    assert (await jobs.analysis(first)).state == "queued"
    again = await claimed(jobs)
    assert (again.id, again.tries) == (first, 1)
    assert (await claimed(jobs)).id == second
    assert not await jobs.leases.renew(lease)


async def test_another_try_waits(jobs: Jobs) -> None:
    first, second = await jobs.accept(), await jobs.accept()
    await jobs.leases.give_back(await claimed(jobs), delay_s=0.3)
    assert (await jobs.queue.depth()).waiting == 2
    assert (await claimed(jobs)).id == second
    assert await jobs.leases.claim() is None
    await asyncio.sleep(0.35)
    again = await claimed(jobs)
    assert (again.id, again.tries) == (first, 2)


@pytest.mark.parametrize("running", [False, True])
async def test_a_canceled_job_stays_canceled(jobs: Jobs, running: bool) -> None:
    analysis_id = await jobs.accept()
    lease = await claimed(jobs) if running else None
    document = await jobs.queue.cancel(analysis_id)
    assert b'"state":"canceled"' in document
    assert await jobs.store.document(analysis_id) == document
    if lease is not None:
        assert not await jobs.leases.renew(lease)
        assert not await jobs.leases.succeed(lease, await some_findings())
    assert await jobs.leases.claim() is None
    assert await jobs.queue.depth() == (0, 0, 0, 0)
    with pytest.raises(AlreadyFinished, match="canceled"):
        await jobs.queue.cancel(analysis_id)


async def test_what_was_answered_at_once_cannot_be_canceled(jobs: Jobs) -> None:
    findings = await some_findings()
    await jobs.store.save(findings)
    with pytest.raises(AlreadyFinished, match="succeeded"):
        await jobs.queue.cancel(findings.analysis.id)
    with pytest.raises(NotFound):
        await jobs.queue.cancel("019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10")


@pytest.mark.parametrize("running", [False, True])
async def test_an_erased_job_is_gone_and_does_not_come_back(jobs: Jobs, running: bool) -> None:
    analysis_id = await jobs.accept(CLAIM, webhook="https://example.org/")
    lease = await claimed(jobs) if running else None
    await jobs.store.delete(analysis_id)
    if lease is not None:
        assert not await jobs.leases.report(lease)
        assert not await jobs.leases.succeed(lease, await some_findings())
    assert await jobs.leases.claim() is None
    left = {key.decode() for key in await jobs.redis.keys("*")}
    assert left <= {keys.SEQUENCE}


async def test_all_of_a_job_expires(jobs: Jobs) -> None:
    analysis_id = await jobs.accept(CLAIM)
    for key in (keys.analysis(analysis_id), keys.events(analysis_id), keys.claim(CLAIM.key)):
        assert TTL_S - 10 < await jobs.redis.ttl(key) <= TTL_S
    await jobs.redis.delete(keys.analysis(analysis_id))
    assert await jobs.leases.claim() is None


async def test_the_key_of_an_accepted_job_leads_to_it(jobs: Jobs) -> None:
    assert await jobs.store.claim(CLAIM) is None
    analysis_id = await jobs.accept(CLAIM)
    known = await jobs.store.claim(CLAIM)
    assert known == await jobs.store.document(analysis_id)
    with pytest.raises(IdempotencyKeyReused):
        await jobs.store.claim(IdempotencyClaim(CLAIM.key, "0" * 64))


async def test_a_failed_job_says_why(jobs: Jobs) -> None:
    analysis_id = await jobs.accept()
    await jobs.leases.fail(await claimed(jobs), UpstreamFailed("The segmenter answered 500.", stage="segmentation"))
    failed = await jobs.analysis(analysis_id)
    assert failed.state == "failed"
    assert failed.problem is not None
    assert (failed.problem.code, failed.problem.stage) == ("upstream_failed", "segmentation")


async def test_many_workers_never_share_a_job(jobs: Jobs) -> None:
    made = {await jobs.accept() for _ in range(30)}
    leases = await asyncio.gather(*(jobs.leases.claim() for _ in range(40)))
    ids = [lease.id for lease in leases if lease is not None]
    assert len(ids) == 30
    assert set(ids) == made


async def test_a_queue_that_is_away_is_not_ready() -> None:
    gone = Redis(unix_socket_path="/nowhere/redis.sock")
    with pytest.raises(NotReady):
        await RedisJobQueue(gone, ttl_s=60, max_waiting=1).check_room("stat")
    with pytest.raises(NotReady):
        await jobs_on(gone).leases.claim()
    await gone.aclose()
