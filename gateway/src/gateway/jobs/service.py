"""A worker with all that runs beside it: the caller of webhooks and the sweeper."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator
from typing import Final

from gateway.jobs.caller import WebhookCaller
from gateway.jobs.sweep import Sweeper
from gateway.jobs.worker import Worker

_LOG = logging.getLogger(__name__)
_SILENT_S: Final = 10.0


class WorkerService:
    """Runs in somebody's event loop. `caller` is None where nobody may be called."""

    def __init__(self, worker: Worker, sweeper: Sweeper, caller: WebhookCaller | None) -> None:
        self._worker = worker
        self._beside = [sweeper.run] if caller is None else [sweeper.run, caller.run]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Inside, jobs are done; on leaving they are finished or given back."""
        tasks = [asyncio.create_task(run()) for run in (self._worker.run, *self._beside)]
        for task in tasks:
            task.add_done_callback(_end_with)
        try:
            yield
        finally:
            for task in tasks:
                task.remove_done_callback(_end_with)
            self._worker.end()
            await asyncio.wait(tasks[:1])
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def alive(self) -> bool:
        """Whether the worker has looked for jobs, or at those that it runs, not long ago."""
        return time.monotonic() - self._worker.beat_at < _SILENT_S


def _end_with(task: asyncio.Task[None]) -> None:
    """A loop that ended by itself is a bug: the process ends too, and what supervises it starts a sound one."""
    if not task.cancelled():
        _LOG.critical("a worker's loop ended", exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)
