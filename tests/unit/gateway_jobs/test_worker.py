"""The worker over a queue in memory: what it makes of every way in which a job can end."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import NoReturn

import pytest
from prometheus_client import CollectorRegistry

from gateway.analysis import as_problem, queued_analysis
from gateway.errors import JobAbandoned, JobTimedOut
from gateway.findings import Findings
from gateway.job_settings import JobSettings
from gateway.jobs.execution import Execution, Reporter
from gateway.jobs.lease import Lease
from gateway.jobs.metrics import JobMetrics
from gateway.jobs.worker import Worker
from gateway.progress import Canceled
from service_kit.errors import InvalidRequest, NotReady, ServiceError
from tests.unit.gateway_jobs.fakes import FakeBlobs, FakeExecution, FakeLeases, until
from tests.unit.gateway_jobs.jobs import order, some_findings

Work = Callable[[Reporter], Awaitable[Findings]]
SETTINGS = JobSettings(poll_s=0.01, lease_s=0.08, retry_s=0.5, max_tries=3, grace_s=0.2, timeout_s=5)


def lease(tries: int = 1) -> Lease:
    return Lease(queued_analysis(), order(), fence=tries, tries=tries)


async def quick(_: Reporter) -> Findings:
    return await some_findings()


def failing(error: BaseException) -> Work:
    async def work(_: Reporter) -> NoReturn:
        raise error

    return work


async def forever(_: Reporter) -> Findings:
    await asyncio.sleep(60)
    return await some_findings()


@contextlib.asynccontextmanager
async def working(
    leases: FakeLeases,
    execution: FakeExecution,
    blobs: FakeBlobs | None = None,
    settings: JobSettings = SETTINGS,
    metrics: JobMetrics | None = None,
) -> AsyncIterator[Worker]:
    as_execution: Execution = execution  # type: ignore[assignment]
    worker = Worker(leases, as_execution, blobs or FakeBlobs(), settings, metrics or JobMetrics(CollectorRegistry()))
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.end()
        await asyncio.wait_for(task, 10)


async def test_a_job_succeeds_and_its_uploads_go() -> None:
    job, blobs = lease(), FakeBlobs()
    leases = FakeLeases([job])
    async with working(leases, FakeExecution(quick), blobs):
        await until(lambda: blobs.deleted)
    assert (leases.succeeded, leases.failed, blobs.deleted) == ([job.id], [], [job.id])


async def test_what_the_caller_must_mend_fails_at_once() -> None:
    job = lease()
    leases = FakeLeases([job])
    async with working(leases, FakeExecution(failing(InvalidRequest("no scan")))):
        await until(lambda: leases.failed)
    assert [(job_id, error.detail) for job_id, error in leases.failed] == [(job.id, "no scan")]
    assert leases.given_back == []


@pytest.mark.parametrize("error", [NotReady("the segmenter is away"), RuntimeError("a bug"), TimeoutError()])
@pytest.mark.parametrize("tries", [1, 2, 3])
async def test_what_may_pass_is_tried_three_times(error: Exception, tries: int) -> None:
    job = lease(tries)
    leases = FakeLeases([job])
    async with working(leases, FakeExecution(failing(error))):
        await until(lambda: leases.failed or leases.given_back)
    if tries < 3:
        assert leases.given_back == [(job.id, 0.5 * 2 ** (tries - 1), False)]
    else:
        assert [job_id for job_id, _ in leases.failed] == [job.id]
        assert "a bug" not in leases.failed[0][1].detail


async def test_a_job_that_ended_three_workers_is_not_begun_again() -> None:
    execution, leases = FakeExecution(quick), FakeLeases([lease(tries=4)])
    async with working(leases, execution):
        await until(lambda: leases.failed)
    assert isinstance(leases.failed[0][1], JobAbandoned)
    assert execution.runs == 0


async def test_a_partial_answer_is_the_last_choice() -> None:
    async def partial(_: Reporter) -> Findings:
        found = await some_findings()
        problem = as_problem(NotReady("the segmenter is away", stage="segmentation"))
        return replace(found, analysis=found.analysis.model_copy(update={"problem": problem}))

    leases = FakeLeases([lease(1), lease(3)])
    async with working(leases, FakeExecution(partial)):
        await until(lambda: leases.given_back and leases.succeeded)


async def test_a_long_job_keeps_its_lease() -> None:
    async def long(_: Reporter) -> Findings:
        await asyncio.sleep(5 * SETTINGS.lease_s)
        return await some_findings()

    execution, leases = FakeExecution(long), FakeLeases([lease()])
    async with working(leases, execution):
        await until(lambda: leases.succeeded)
    assert leases.renewed >= 5
    assert execution.runs == 1


async def test_a_lease_that_ends_with_its_job_is_not_lost() -> None:
    class SlowToErase(FakeBlobs):
        async def delete(self, owner: str, *, uploads_alone: bool = False) -> bool:
            await asyncio.sleep(3 * SETTINGS.lease_s)
            return await super().delete(owner, uploads_alone=uploads_alone)

    leases, blobs, registry = FakeLeases([lease()]), SlowToErase(), CollectorRegistry()
    async with working(leases, FakeExecution(quick), blobs, metrics=JobMetrics(registry)):
        await until(lambda: leases.succeeded)
        leases.held = False
        await until(lambda: blobs.deleted)
    assert registry.get_sample_value("neurogate_job_tries_total", {"outcome": "succeeded"}) == 1


async def test_a_canceled_job_frees_its_worker() -> None:
    leases = FakeLeases([lease()], held=False)
    execution = FakeExecution(forever)
    async with working(leases, execution):
        await until(lambda: leases.renewed)
        leases.held = True
        other = lease()
        leases.waiting.append(other)
        await until(lambda: execution.runs == 2)
    assert leases.succeeded == []
    assert other.id in {job_id for job_id, _, _ in leases.given_back}


async def test_work_between_two_tiles_learns_that_it_is_canceled() -> None:
    steps: list[int] = []

    async def tiles(reporter: Reporter) -> Findings:
        for tile in range(1000):
            await reporter.step("segmentation", tile, 1000)
            steps.append(tile)
        return await some_findings()

    leases = FakeLeases([lease()], held=False)
    async with working(leases, FakeExecution(tiles)):
        await until(lambda: leases.reported)
    assert steps == []
    assert leases.succeeded == leases.failed == []


async def test_steps_are_told_now_and_then_and_stages_at_once() -> None:
    now = 0.0
    leases = FakeLeases()
    reporter = Reporter(leases, lease(), lambda: now)
    await reporter.step("view", 0, 1)
    for tile in range(101):
        now += 0.01
        await reporter.step("segmentation", tile, 100)
    stages = [stage for stage, _, _ in leases.reported]
    assert stages[:2] == ["view", "segmentation"]
    assert 5 <= len(stages) <= 9
    assert leases.reported[-1] == ("segmentation", 100, 100)


async def test_progress_that_cannot_be_told_stops_nothing() -> None:
    reporter = Reporter(FakeLeases(away=1), lease(), time.monotonic)
    await reporter.step("view", 0, 1)
    reporter.lost = True
    with pytest.raises(Canceled):
        await reporter.step("tumor", 0, 1)


async def test_a_finished_job_is_settled_when_the_queue_is_back() -> None:
    async def then_away(_: Reporter) -> Findings:
        leases.away = 5
        return await some_findings()

    job = lease()
    leases = FakeLeases([job])
    execution = FakeExecution(then_away)
    async with working(leases, execution):
        await until(lambda: leases.succeeded)
    assert (leases.succeeded, execution.runs) == ([job.id], 1)


async def test_an_ending_worker_finishes_what_it_can_and_gives_the_rest_back() -> None:
    started = asyncio.Event()

    async def by_turns(reporter: Reporter) -> Findings:
        if reporter.lease.id == slow.id:
            started.set()
            await asyncio.sleep(60)
        await started.wait()
        await asyncio.sleep(0.05)
        return await some_findings()

    swift, slow, waiting = lease(), lease(), lease()
    leases = FakeLeases([swift, slow, waiting])
    async with working(
        leases, FakeExecution(by_turns), settings=SETTINGS.model_copy(update={"concurrency": 2})
    ) as worker:
        await started.wait()
        worker.end()
    assert leases.succeeded == [swift.id]
    assert leases.given_back == [(slow.id, 0.0, True)]
    assert leases.waiting == [waiting]


async def test_a_job_takes_no_longer_than_it_may() -> None:
    leases = FakeLeases([lease()])
    async with working(leases, FakeExecution(forever), settings=SETTINGS.model_copy(update={"timeout_s": 0.1})):
        await until(lambda: leases.failed)
    error: ServiceError = leases.failed[0][1]
    assert isinstance(error, JobTimedOut)


async def test_no_more_jobs_run_at_once_than_may() -> None:
    running = most = 0

    async def counted(_: Reporter) -> Findings:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return await some_findings()

    leases = FakeLeases([lease() for _ in range(9)])
    async with working(leases, FakeExecution(counted), settings=SETTINGS.model_copy(update={"concurrency": 3})):
        await until(lambda: len(leases.succeeded) == 9)
    assert most == 3


async def test_a_queue_that_was_away_is_asked_again() -> None:
    leases = FakeLeases([lease()], away=2)
    async with working(leases, FakeExecution(quick)):
        await until(lambda: leases.succeeded)
