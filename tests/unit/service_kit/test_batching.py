import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from service_kit import context
from service_kit.context import RequestContext
from service_kit.deadline import deadline, remaining_s
from service_kit.errors import DeadlineExceeded, InferenceFailed, NotReady, Overloaded
from service_kit.inference import batching
from service_kit.inference.batching import BatchingBackend
from service_kit.inference.manifest import ModelManifest, TensorSpec
from service_kit.metrics import InferenceMetrics
from service_kit.testing import FakeBackend, tiny_model

Arrays = Mapping[str, NDArray[Any]]


class Engine:
    """A fake model that doubles its input, one run at a time let through by the test."""

    def __init__(self, manifest: ModelManifest) -> None:
        self.backend = FakeBackend(manifest, self.run)
        self.permits = asyncio.Semaphore(0)
        self.running = 0
        self.most_running = 0
        self.remaining_s: list[float | None] = []
        self.request_ids: list[str | None] = []

    async def run(self, arrays: Arrays) -> Arrays:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.remaining_s.append(remaining_s())
        self.request_ids.append(context.request_id())
        try:
            await self.permits.acquire()
        finally:
            self.running -= 1
        if (arrays["x"] < 0).any():
            raise InferenceFailed("negative")
        return {"y": arrays["x"] * 2}

    @property
    def batches(self) -> list[int]:
        """How many inputs each run had."""
        return [len(call["x"]) for call in self.backend.calls]

    def finish(self, runs: int = 1000) -> None:
        for _ in range(runs):
            self.permits.release()


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> ModelManifest:
    real = tiny_model(tmp_path_factory.mktemp("models"), "clinical")
    return real.model_copy(
        update={
            "inputs": (TensorSpec(name="x", dtype="FP32", shape=(-1, -1)),),
            "outputs": (TensorSpec(name="y", dtype="FP32", shape=(-1, -1)),),
        }
    )


@pytest.fixture
def engine(manifest: ModelManifest) -> Engine:
    return Engine(manifest)


def batched(engine: Engine, *, slots: int = 1, max_batch: int = 8, max_queue: int = 16) -> BatchingBackend:
    metrics = InferenceMetrics(CollectorRegistry())
    return BatchingBackend(engine.backend, max_batch, max_queue, slots=slots, metrics=metrics)


def rows(*values: float, width: int = 2) -> dict[str, NDArray[np.float32]]:
    return {"x": np.repeat(np.array(values, np.float32)[:, None], width, axis=1)}


def start(backend: BatchingBackend, arrays: Arrays) -> asyncio.Task[dict[str, NDArray[Any]]]:
    return asyncio.create_task(backend.infer(arrays))


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def check(task: asyncio.Task[dict[str, NDArray[Any]]], arrays: Arrays) -> None:
    np.testing.assert_array_equal((await task)["y"], arrays["x"] * 2)


async def test_a_call_runs_at_once_and_alone_while_slots_are_free(engine: Engine) -> None:
    backend = batched(engine, slots=2)
    tasks = [start(backend, rows(i)) for i in (1, 2)]
    await settle()
    assert (engine.running, engine.batches) == (2, [1, 1])
    engine.finish()
    for task, i in zip(tasks, (1, 2), strict=True):
        await check(task, rows(i))


async def test_what_waits_is_merged_and_each_gets_its_own(engine: Engine) -> None:
    backend = batched(engine)
    inputs = [rows(0), rows(1, 2), rows(3), rows(4, 5, 6)]
    tasks = [start(backend, arrays) for arrays in inputs]
    await settle()
    engine.finish()
    for task, arrays in zip(tasks, inputs, strict=True):
        await check(task, arrays)
    assert engine.batches == [1, 6]


async def test_a_run_has_at_most_max_batch_inputs(engine: Engine) -> None:
    backend = batched(engine, max_batch=3)
    inputs = [rows(i) for i in range(6)] + [rows(7, 8), rows(9, 10), rows(*range(5))]
    tasks = [start(backend, arrays) for arrays in inputs]
    await settle()
    engine.finish()
    for task, arrays in zip(tasks, inputs, strict=True):
        await check(task, arrays)
    assert engine.batches == [1, 3, 2, 2, 2, 5]


async def test_slots_share_the_queue(engine: Engine) -> None:
    backend = batched(engine, slots=2)
    tasks = [start(backend, rows(i)) for i in range(6)]
    await settle()
    engine.finish(1)
    await settle()
    assert engine.batches == [1, 1, 2]
    engine.finish(1)
    await settle()
    assert engine.batches == [1, 1, 2, 1]
    engine.finish()
    await asyncio.gather(*tasks)
    assert engine.most_running == 2


async def test_only_one_shape_is_merged_and_the_order_kept(engine: Engine) -> None:
    backend = batched(engine)
    inputs = [rows(0), rows(1), rows(2, width=3), rows(3, width=3), rows(4)]
    tasks = [start(backend, arrays) for arrays in inputs]
    await settle()
    engine.finish()
    for task, arrays in zip(tasks, inputs, strict=True):
        await check(task, arrays)
    assert [call["x"].shape for call in engine.backend.calls] == [(1, 2), (1, 2), (2, 3), (1, 2)]


async def test_full_queue_refuses(engine: Engine) -> None:
    backend = batched(engine, max_queue=2)
    tasks = [start(backend, rows(i)) for i in range(3)]
    await settle()
    with pytest.raises(Overloaded) as raised:
        await backend.infer(rows(9))
    assert raised.value.retry_after_s == 1
    engine.finish()
    await asyncio.gather(*tasks)
    assert (await backend.infer(rows(9)))["y"][0, 0] == 18


async def test_no_queue_at_all(engine: Engine) -> None:
    backend = batched(engine, max_queue=0)
    running = start(backend, rows(1))
    await settle()
    with pytest.raises(Overloaded):
        await backend.infer(rows(2))
    engine.finish()
    await running


async def test_passed_deadline_is_refused_before_anything(engine: Engine) -> None:
    with deadline(-1), pytest.raises(DeadlineExceeded):
        await batched(engine).infer(rows(1))
    assert engine.batches == []


async def test_call_whose_deadline_passes_in_the_queue_is_not_run(engine: Engine) -> None:
    backend = batched(engine)
    running = start(backend, rows(1))
    await settle()
    with deadline(0.01):
        late = start(backend, rows(2))
    patient = start(backend, rows(3))
    await asyncio.sleep(0.03)
    engine.finish()
    with pytest.raises(DeadlineExceeded):
        await late
    await check(patient, rows(3))
    await running
    assert engine.batches == [1, 1]


async def test_merged_run_has_the_latest_deadline_and_no_request_id(engine: Engine) -> None:
    backend = batched(engine)
    token = context.current.set(RequestContext("first"))
    running = start(backend, rows(0))
    with deadline(5):
        soon = start(backend, rows(1))
    with deadline(50):
        later = start(backend, rows(2))
    context.current.reset(token)
    await settle()
    engine.finish(2)
    await asyncio.gather(running, soon, later)
    alone, merged = engine.remaining_s
    assert alone is None
    assert merged is not None
    assert 5 < merged <= 50
    assert engine.request_ids == ["first", None]


async def test_merged_run_with_an_endless_caller_has_no_deadline(engine: Engine) -> None:
    backend = batched(engine)
    tasks = [start(backend, rows(0)), start(backend, rows(1))]
    with deadline(5):
        tasks.append(start(backend, rows(2)))
    await settle()
    engine.finish()
    await asyncio.gather(*tasks)
    assert engine.remaining_s == [None, None]


async def test_bad_input_does_not_fail_its_neighbors(engine: Engine) -> None:
    backend = batched(engine)
    tasks = [start(backend, rows(i)) for i in (0, 1, -1, 2)]
    await settle()
    engine.finish()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[2], InferenceFailed)
    assert [result["y"][0, 0] for result in results if isinstance(result, dict)] == [0, 2, 4]
    assert (await backend.infer(rows(5)))["y"][0, 0] == 10


@pytest.mark.parametrize("arrays", [{}, {"x": np.array(1, np.float32)}, {"z": np.zeros((1, 2), np.float32)}])
async def test_arrays_that_no_model_takes(engine: Engine, arrays: Arrays) -> None:
    backend = batched(engine)
    with pytest.raises(InferenceFailed):
        await backend.infer(arrays)
    running = start(backend, rows(1))
    await settle()
    waiting = [start(backend, arrays) for _ in range(2)]
    neighbor = start(backend, rows(2))
    await settle()
    engine.finish()
    for task in waiting:
        with pytest.raises(InferenceFailed):
            await task
    await check(running, rows(1))
    await check(neighbor, rows(2))


async def test_wrong_lengths_that_would_add_up_are_refused_one_by_one(engine: Engine, manifest: ModelManifest) -> None:
    two = tuple(TensorSpec(name=name, dtype="FP32", shape=(-1, -1)) for name in ("x", "z"))
    inner = FakeBackend(manifest.model_copy(update={"inputs": two}), engine.run)
    backend = BatchingBackend(inner, 8, 8)
    one, other = rows(1)["x"], rows(1, 2)["x"]
    running = start(backend, {"x": one, "z": one})
    await settle()
    waiting = [start(backend, {"x": one, "z": other}), start(backend, {"x": other, "z": one})]
    await settle()
    engine.finish()
    await running
    for task in waiting:
        with pytest.raises(InferenceFailed, match="where others have"):
            await task


async def test_failure_of_the_engine_reaches_every_caller(manifest: ModelManifest) -> None:
    permit = asyncio.Event()

    async def fail(arrays: Arrays) -> Arrays:
        await permit.wait()
        raise NotReady("gone")

    backend = BatchingBackend(FakeBackend(manifest, fail), 8, 8)
    tasks = [start(backend, rows(i)) for i in range(4)]
    await settle()
    permit.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, NotReady) for result in results)


async def test_caller_that_gives_up_in_the_queue_frees_its_place(engine: Engine) -> None:
    backend = batched(engine, max_queue=1)
    running = start(backend, rows(1))
    waiting = start(backend, rows(2))
    await settle()
    waiting.cancel()
    await settle()
    next_one = start(backend, rows(3))
    engine.finish()
    await check(next_one, rows(3))
    await check(running, rows(1))
    assert engine.batches == [1, 1]
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_caller_that_gives_up_during_a_merged_run_leaves_the_others_alone(engine: Engine) -> None:
    backend = batched(engine)
    tasks = [start(backend, rows(i)) for i in range(3)]
    await settle()
    engine.finish(1)
    await settle()
    assert engine.batches == [1, 2]
    tasks[1].cancel()
    engine.finish()
    await check(tasks[2], rows(2))
    await check(tasks[0], rows(0))


async def test_caller_that_gives_up_during_its_run_frees_the_slot(engine: Engine) -> None:
    backend = batched(engine)
    running = start(backend, rows(1))
    waiting = start(backend, rows(2))
    await settle()
    running.cancel()
    engine.finish()
    await check(waiting, rows(2))


async def test_closing_answers_what_waits_and_refuses_what_comes(engine: Engine) -> None:
    backend = batched(engine)
    tasks = [start(backend, rows(i)) for i in range(3)]
    await settle()
    closing = asyncio.create_task(backend.aclose())
    await settle()
    assert not await backend.ready()
    with pytest.raises(NotReady):
        await backend.infer(rows(9))
    assert not engine.backend.closed
    engine.finish()
    await closing
    for i, task in enumerate(tasks):
        await check(task, rows(i))
    assert engine.backend.closed


async def test_closing_does_not_wait_forever(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "_DRAIN_S", 0.02)
    backend = batched(engine)
    tasks = [start(backend, rows(i)) for i in range(2)]
    await settle()
    await backend.aclose()
    with pytest.raises(NotReady):
        await tasks[1]
    engine.finish()
    await check(tasks[0], rows(0))


async def test_it_speaks_for_the_inner_backend(engine: Engine) -> None:
    backend = batched(engine)
    assert backend.manifest is engine.backend.manifest
    assert backend.ref is engine.backend.ref
    assert backend.requested_provider == engine.backend.requested_provider
    assert await backend.ready()
    engine.backend.is_ready = False
    assert not await backend.ready()


async def test_metrics_count_runs_batches_queue_and_drops(engine: Engine) -> None:
    registry = CollectorRegistry()
    backend = BatchingBackend(engine.backend, 8, 2, metrics=InferenceMetrics(registry))

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"model": "clinical", **labels})

    tasks = [start(backend, rows(i)) for i in range(3)]
    await settle()
    assert value("neurogate_queue_depth") == 2
    with pytest.raises(Overloaded):
        await backend.infer(rows(9))
    engine.finish()
    await asyncio.gather(*tasks)
    assert value("neurogate_queue_depth") == 0
    assert value("neurogate_inference_seconds_count") == 2
    assert value("neurogate_batch_size_sum") == 3
    assert value("neurogate_inference_dropped_total", reason="queue_full") == 1
    assert value("neurogate_inference_dropped_total", reason="deadline") == 0


@pytest.mark.parametrize("slots", [1, 2, 3])
async def test_many_callers_of_all_kinds(manifest: ModelManifest, slots: int) -> None:
    random = np.random.default_rng(slots)
    most, running = 0, 0

    async def double(arrays: Arrays) -> Arrays:
        nonlocal most, running
        running += 1
        most = max(most, running)
        try:
            await asyncio.sleep(0)
        finally:
            running -= 1
        if (arrays["x"] < 0).any():
            raise InferenceFailed("negative")
        return {"y": arrays["x"] * 2}

    backend = BatchingBackend(FakeBackend(manifest, double), 4, 1000, slots=slots)

    async def ask(number: int) -> bool:
        arrays = rows(*random.integers(-1, 50, random.integers(1, 4)), width=int(random.integers(1, 3)))
        for _ in range(number % 7):
            await asyncio.sleep(0)
        asked = start(backend, arrays)
        if number % 11 == 0:
            await asyncio.sleep(0)
            asked.cancel()
        try:
            outputs = await asked
        except asyncio.CancelledError:
            return number % 11 == 0
        except InferenceFailed:
            return bool((arrays["x"] < 0).any())
        return bool((outputs["y"] == arrays["x"] * 2).all())

    assert all(await asyncio.gather(*(ask(number) for number in range(300))))
    await backend.aclose()
    assert 1 <= most <= slots
