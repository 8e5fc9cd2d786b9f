"""Micro-batching without waiting: a call runs at once while a run slot is free; what queues up meanwhile is merged."""

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service_kit import context, deadline
from service_kit.contracts.common import ModelRef
from service_kit.errors import DeadlineExceeded, InferenceFailed, NotReady, Overloaded
from service_kit.inference.backend import Arrays, InferenceBackend
from service_kit.inference.manifest import ModelManifest
from service_kit.metrics import INFERENCE_METRICS, InferenceMetrics

_RETRY_AFTER_S = 1
_DRAIN_S = 10.0

Outputs = dict[str, NDArray[Any]]
Kind = tuple[tuple[str, str, tuple[int, ...]], ...]


class _Call:
    """One caller that waits."""

    __slots__ = ("answer", "arrays", "deadline_at", "kind", "rows")

    def __init__(self, arrays: Arrays, answer: asyncio.Future[Outputs]) -> None:
        self.arrays = arrays
        self.answer = answer
        self.deadline_at = context.current.get().deadline_at
        # Only arrays of one type and one shape but for axis 0 can be put together.
        self.kind: Kind = tuple(sorted((name, a.dtype.str, a.shape[1:]) for name, a in arrays.items()))
        lengths = {len(a) if a.ndim else 0 for a in arrays.values()}
        # Arrays that no model takes count as 0 inputs: they are never merged, and the inner backend refuses them.
        self.rows = lengths.pop() if len(lengths) == 1 else 0


class BatchingBackend:
    """A backend with at most `slots` runs at the same time and at most `max_queue` calls waiting for one.

    When a slot frees it takes its share of the queue, up to `max_batch` inputs, as one run. While a slot is free
    nothing is merged: two runs on two cores are faster than one run of two on one core.
    """

    def __init__(
        self,
        inner: InferenceBackend,
        max_batch: int,
        max_queue: int,
        *,
        slots: int = 1,
        metrics: InferenceMetrics = INFERENCE_METRICS,
    ) -> None:
        self._inner = inner
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._slots = slots
        self._running = 0
        self._queue: deque[_Call] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._idle = asyncio.Event()
        self._idle.set()
        name = inner.manifest.name
        self._run_seconds = metrics.run_seconds.labels(name)
        self._batch_size = metrics.batch_size.labels(name)
        self._queue_depth = metrics.queue_depth.labels(name)
        self._dropped_full = metrics.dropped.labels(name, "queue_full")
        self._dropped_late = metrics.dropped.labels(name, "deadline")

    @property
    def manifest(self) -> ModelManifest:
        """The inner backend's."""
        return self._inner.manifest

    @property
    def ref(self) -> ModelRef:
        """The inner backend's."""
        return self._inner.ref

    @property
    def requested_provider(self) -> str:
        """The inner backend's."""
        return self._inner.requested_provider

    async def ready(self) -> bool:
        """Whether the inner backend is, and this is not being closed."""
        return not self._closing and await self._inner.ready()

    async def infer(self, arrays: Arrays) -> Outputs:
        """See `InferenceBackend.infer`."""
        deadline.check_deadline()
        if self._closing:
            raise NotReady(f"{self.manifest.name} is being closed")
        if self._running < self._slots:
            self._occupy()
            try:
                return await self._timed(arrays)
            finally:
                self._release()
        if len(self._queue) >= self._max_queue:
            self._dropped_full.inc()
            raise Overloaded(f"too many calls wait for {self.manifest.name}", retry_after_s=_RETRY_AFTER_S)
        call = _Call(arrays, asyncio.get_running_loop().create_future())
        self._queue.append(call)
        self._queue_depth.inc()
        try:
            return await call.answer
        except asyncio.CancelledError:
            self._forget(call)
            raise

    async def aclose(self) -> None:
        """Refuse new calls, answer those that wait (for 10 s at most), close the inner backend."""
        self._closing = True
        try:
            async with asyncio.timeout(_DRAIN_S):
                await self._idle.wait()
        except TimeoutError:
            while self._queue:
                call = self._queue.popleft()
                self._queue_depth.dec()
                _fail(call, NotReady(f"{self.manifest.name} was closed"))
        await self._inner.aclose()

    def _occupy(self) -> None:
        self._running += 1
        self._idle.clear()

    def _release(self) -> None:
        """Free a slot and start what waits for it."""
        self._running -= 1
        while self._running < self._slots and self._queue:
            calls = self._take()
            if calls:
                self._occupy()
                # A context of its own: the run belongs to several requests, and to none of them more than others.
                task = asyncio.get_running_loop().create_task(self._run(calls), context=contextvars.Context())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        if not self._running:
            self._idle.set()

    def _take(self) -> list[_Call]:
        """The next calls to run as one; those that nobody waits for any more are dropped."""
        now = time.monotonic()
        share = -(-len(self._queue) // self._slots)  # rounded up: the rest is for the other slots
        taken: list[_Call] = []
        rows = 0
        while self._queue and len(taken) < share and rows < self._max_batch:
            call = self._queue[0]
            if taken and not (
                call.rows and rows and call.kind == taken[0].kind and rows + call.rows <= self._max_batch
            ):
                break
            self._queue.popleft()
            self._queue_depth.dec()
            if call.answer.done():
                continue
            if call.deadline_at is not None and now >= call.deadline_at:
                self._dropped_late.inc()
                _fail(call, DeadlineExceeded(f"the deadline passed while waiting for {self.manifest.name}"))
                continue
            taken.append(call)
            rows += call.rows
        return taken

    async def _run(self, calls: Sequence[_Call]) -> None:
        try:
            # A merged run may last as long as its most patient caller waits.
            moments = [call.deadline_at for call in calls]
            known = [moment for moment in moments if moment is not None]
            with deadline.deadline_at(max(known) if len(known) == len(moments) else None):
                await self._answer(calls)
        finally:
            self._release()

    async def _answer(self, calls: Sequence[_Call]) -> None:
        first = calls[0]
        try:
            if len(calls) == 1:
                _succeed(first, await self._timed(first.arrays))
                return
            merged = {name: np.concatenate([call.arrays[name] for call in calls]) for name in first.arrays}
            outputs = await self._timed(merged)
        except InferenceFailed as error:
            if len(calls) == 1:
                _fail(first, error)
                return
            # One bad input must not fail its neighbors.
            for call in calls:
                await self._answer([call])
        except BaseException as error:
            for call in calls:
                _fail(call, error)
            if not isinstance(error, Exception):
                raise
        else:
            begin = 0
            for call in calls:
                end = begin + call.rows
                _succeed(call, {name: values[begin:end] for name, values in outputs.items()})
                begin = end

    async def _timed(self, arrays: Arrays) -> Outputs:
        started = time.perf_counter()
        outputs = await self._inner.infer(arrays)
        self._run_seconds.observe(time.perf_counter() - started)
        self._batch_size.observe(len(next(iter(arrays.values()))))
        return outputs

    def _forget(self, call: _Call) -> None:
        """Take a call out of the queue that its caller has given up."""
        try:
            self._queue.remove(call)
        except ValueError:
            return  # it is being run already
        self._queue_depth.dec()


def _succeed(call: _Call, outputs: Outputs) -> None:
    if not call.answer.done():
        call.answer.set_result(outputs)


def _fail(call: _Call, error: BaseException) -> None:
    if call.answer.done():
        return
    if isinstance(error, asyncio.CancelledError):
        call.answer.cancel()
    else:
        call.answer.set_exception(error)
