"""The loop that claims jobs, keeps their leases, and settles them: runs in the gateway's process or in its own."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeAlias

from gateway.blobs.port import BlobStore
from gateway.errors import JobAbandoned, JobTimedOut
from gateway.findings import Findings
from gateway.job_settings import JobSettings
from gateway.jobs.execution import Execution, Reporter
from gateway.jobs.lease import Lease, Leases
from gateway.jobs.metrics import JobMetrics
from gateway.progress import Canceled
from gateway.volume_findings import VolumeFindings
from service_kit.errors import NotReady, ServiceError

_LOG = logging.getLogger(__name__)
_LONGEST_RENEWAL_S: Final = 0.75
"""A canceled job is noticed at the next renewal, so this is also how fast it frees its worker."""
_LONGEST_PAUSE_S: Final = 2.0
_PASSING: Final = frozenset({503, 504})
_Settle: TypeAlias = Callable[[], Awaitable[bool]]


class Worker:
    """Runs up to `settings.concurrency` jobs at a time. No error ends it; `beat_at` (monotonic) says that it lives."""

    def __init__(
        self,
        leases: Leases,
        execution: Execution,
        blobs: BlobStore,
        settings: JobSettings,
        metrics: JobMetrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases = leases
        self._execution = execution
        self._blobs = blobs
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._ending = asyncio.Event()
        self.beat_at = clock()

    def end(self) -> None:
        """Claim nothing more; `run` returns when what runs is finished or given back."""
        self._ending.set()

    async def run(self) -> None:
        """Work until `end`, then let the running jobs finish for a while, and give back what is left."""
        running: set[asyncio.Task[None]] = set()
        pause_s = self._settings.poll_s
        while not self._ending.is_set():
            self.beat_at = self._clock()
            if len(running) >= self._settings.concurrency:
                await self._first_of(running)
                running = {task for task in running if not task.done()}
                continue
            try:
                lease = await self._leases.claim()
                pause_s = self._settings.poll_s
            except NotReady:
                lease, pause_s = None, min(pause_s * 2, _LONGEST_PAUSE_S)
                _LOG.warning("the queue cannot be reached")
            if lease is not None:
                running.add(asyncio.create_task(self._work(lease)))
            else:
                await self._pause(pause_s)
            running = {task for task in running if not task.done()}
        if running:
            await asyncio.wait(running, timeout=self._settings.grace_s)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    async def _first_of(self, running: set[asyncio.Task[None]]) -> None:
        ending = asyncio.create_task(self._ending.wait())
        await asyncio.wait({*running, ending}, timeout=_LONGEST_PAUSE_S, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()

    async def _work(self, lease: Lease) -> None:
        """One try, from the lease to its settling. Canceled when the worker must end: the job is given back."""
        started = self._clock()
        reporter = Reporter(self._leases, lease, self._clock)
        job = asyncio.create_task(self._try(lease, reporter))
        keeper = asyncio.create_task(self._keep(reporter, job))
        outcome = "lost"
        try:
            outcome = await job
        except asyncio.CancelledError:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)
            if not reporter.lost and not reporter.settled:  # it is this worker that ends
                outcome = "given_back"
                with contextlib.suppress(NotReady):  # then its lease ends by itself
                    await self._leases.give_back(reporter.lease, free=True)
        except ServiceError:
            _LOG.exception("the job %s could not be settled: its lease ends by itself", lease.id)
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            self._metrics.tries.labels(outcome).inc()
            self._metrics.seconds.observe(self._clock() - started)
            _LOG.info("job %s try %d: %s", lease.id, lease.tries, outcome)

    async def _keep(self, reporter: Reporter, job: asyncio.Task[str]) -> None:
        """Renew the lease for as long as the job runs; end the job when the lease is lost."""
        pause_s = min(self._settings.lease_s / 4, _LONGEST_RENEWAL_S)
        while True:
            await asyncio.sleep(pause_s)
            # Not while the job is being settled: a lease that ended so is not lost.
            async with reporter.speaking:
                if reporter.settled:
                    return
                with contextlib.suppress(NotReady):  # the queue is away: perhaps only for a moment
                    reporter.lost = not await self._leases.renew(reporter.lease)
            if reporter.lost:
                job.cancel()
                return

    async def _try(self, lease: Lease, reporter: Reporter) -> str:
        try:
            findings = await self._run(lease, reporter)
        except Canceled:
            return "lost"
        except ServiceError as error:
            if error.retryable and lease.tries < self._settings.max_tries:
                return await self._given_back(lease, reporter)
            return await self._settled("failed", reporter, partial(self._leases.fail, reporter.lease, error))
        failure = findings.analysis.problem
        if failure is not None and failure.status in _PASSING and lease.tries < self._settings.max_tries:
            # An outline that is missing because the segmenter restarts is worth another try.
            return await self._given_back(lease, reporter)
        return await self._settled("succeeded", reporter, partial(self._leases.succeed, reporter.lease, findings))

    async def _run(self, lease: Lease, reporter: Reporter) -> Findings | VolumeFindings:
        """The findings, or an error that says whether another try may help."""
        most = self._settings.max_tries
        if lease.tries > most:
            raise JobAbandoned(
                f"The analysis was begun {most} times, and each time its worker ended before it did. Send it again; if "
                "that repeats, the scan is too much for a worker's memory."
            )
        limit = asyncio.timeout(self._settings.timeout_s)
        try:
            async with limit:
                return await self._execution.run(lease, reporter)
        except (Canceled, ServiceError):
            raise
        except Exception as error:
            if limit.expired():
                raise JobTimedOut(f"The analysis took longer than {self._settings.timeout_s:g} s.") from None
            _LOG.exception("unexpected error in the job %s", lease.id)
            raise _Unexpected("An unexpected error; the log has it under the analysis' id.") from error

    async def _given_back(self, lease: Lease, reporter: Reporter) -> str:
        delay_s = self._settings.retry_s * 2 ** (lease.tries - 1)
        held = await self._persistently(reporter, partial(self._leases.give_back, reporter.lease, delay_s=delay_s))
        return "retried" if held else "lost"

    async def _settled(self, outcome: str, reporter: Reporter, settle: _Settle) -> str:
        if not await self._persistently(reporter, settle):
            return "lost"
        try:
            await self._blobs.delete(reporter.lease.id, uploads_alone=outcome == "succeeded")
        except NotReady:  # the sweep will
            _LOG.warning("the uploads of %s could not be erased yet", reporter.lease.id)
        return outcome

    async def _persistently(self, reporter: Reporter, settle: _Settle) -> bool:
        """Settle it, also when the queue is away for a while: the work is done and should not be done again."""
        give_up_at = self._clock() + max(30.0, 2 * self._settings.lease_s)
        while True:
            try:
                async with reporter.speaking:
                    held = await settle()
                    reporter.settled = True
                    return held
            except NotReady:
                if self._clock() >= give_up_at:
                    raise
                await asyncio.sleep(self._settings.poll_s)


class _Unexpected(ServiceError):
    """A bug, or a machine in trouble: perhaps another worker has more luck."""

    retryable = True
