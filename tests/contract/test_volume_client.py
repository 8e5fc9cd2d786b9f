"""The gateway's way to the segmenter with volumes and stacks, against the real service: in memory and on a socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from numpy.typing import NDArray

from gateway.clients.segmenter import SegmenterClient
from gateway.clients.upstream import Upstream
from gateway.progress import Canceled
from segmenter_service.app import create_app
from segmenter_service.settings import SegmenterSettings
from service_kit.contracts.clinical import ClinicalVector
from service_kit.contracts.common import Sequence
from service_kit.errors import InvalidRequest, UpstreamFailed
from service_kit.inference.factory import InferenceSettings
from service_kit.memory_transport import MemoryTransport
from service_kit.testing import CLINICAL_FEATURES, tiny_model, tiny_volume_model
from tests.unit.gateway.fakes import model_ref
from tests.unit.service_kit.serving import on_a_socket

MM = (1.0, 1.0, 1.0)
Reached = Callable[[FastAPI], contextlib.AbstractAsyncContextManager[httpx.AsyncClient]]


def scene() -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """A brain `[x, y, z]` and in it a bright ball, as a view that is not contiguous."""
    volume = np.zeros((36, 40, 30), np.int16)
    volume[4:32, 4:36, 4:26] = 100 + np.indices((28, 32, 22)).sum(axis=0) % 7
    x, y, z = np.ogrid[:36, :40, :30]
    lesion = (x - 14) ** 2 + (y - 20) ** 2 + (z - 12) ** 2 <= 25
    volume[lesion] = 250
    return volume.transpose(1, 0, 2), lesion.transpose(1, 0, 2)


VOLUME, LESION = scene()


class Steps:
    """What was told of progress; raises at the step that the test says."""

    def __init__(self, cancel_at: int | None = None) -> None:
        self.told: list[tuple[int, int]] = []
        self.cancel_at = cancel_at

    async def __call__(self, done: int, total: int) -> None:
        self.told.append((done, total))
        if done == self.cancel_at:
            raise Canceled


@contextlib.asynccontextmanager
async def in_memory(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(mounts={"http://segmenter": MemoryTransport(app=app)}, trust_env=False) as http:
        yield http


@contextlib.asynccontextmanager
async def by_a_socket(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with on_a_socket(app) as port, httpx.AsyncClient(trust_env=False) as http:

        async def redirect(request: httpx.Request) -> None:
            request.url = request.url.copy_with(host="127.0.0.1", port=port)

        http.event_hooks = {"request": [redirect]}
        yield http


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_model(folder, "segmentation", fallback={"t1ce": "t1"})
    tiny_model(folder, "segmentation", name="film", sequences=("flair",), clinical=True, clinical_by_default=False)
    tiny_volume_model(folder)
    return folder


@pytest.fixture
async def app(models: Path) -> AsyncIterator[FastAPI]:
    made = create_app(SegmenterSettings(models=("seg-t1", "film"), inference=InferenceSettings(models_dir=models)))
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture(params=[in_memory, by_a_socket])
async def client(request: pytest.FixtureRequest, app: FastAPI) -> AsyncIterator[SegmenterClient]:
    reached: Reached = request.param
    async with reached(app) as http:
        yield SegmenterClient(Upstream(http, "http://segmenter", service="segmenter", timeout_s=30))


async def test_a_volume_is_outlined_and_progress_told(client: SegmenterClient) -> None:
    steps = Steps()
    answer = await client.segment_volume({"flair": VOLUME, "t1": VOLUME.astype(np.float64)}, MM, progress=steps)
    np.testing.assert_array_equal(answer.labels > 0, LESION)
    assert answer.labels.dtype == np.uint8
    assert answer.result.missing == ("t1ce", "t2")
    assert steps.told[0] == (0, 1), "before the tiles are counted"
    assert steps.told[-1] == (answer.result.tiles, answer.result.tiles)


async def test_what_progress_raises_stops_the_segmenter(client: SegmenterClient) -> None:
    with pytest.raises(Canceled):
        await client.segment_volume({"t1": VOLUME}, MM, progress=Steps(cancel_at=2))
    again = await client.segment_volume({"t1": VOLUME}, MM, progress=Steps())
    assert again.result.labels["enhancing_tumor"] == LESION.sum(), "its turn was given back"


async def test_a_caller_that_is_canceled_stops_the_segmenter(client: SegmenterClient) -> None:
    told, never = asyncio.Event(), asyncio.Event()

    async def stuck(done: int, total: int) -> None:
        told.set()
        await never.wait()

    for _ in range(4):  # more than there are places
        call = asyncio.create_task(client.segment_volume({"t1": VOLUME}, MM, progress=stuck))
        await told.wait()
        told.clear()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert (await client.segment_volume({"t1": VOLUME}, MM, progress=Steps())).result.tiles


async def test_a_model_that_does_not_fit_is_the_callers_and_anything_else_ours(client: SegmenterClient) -> None:
    with pytest.raises(InvalidRequest, match="choose one of unet3d"):
        await client.segment_volume({"t1": VOLUME}, MM, model="seg-t1", progress=Steps())
    with pytest.raises(UpstreamFailed, match="refused what the gateway sent"):
        await client.segment_volume({"t1": VOLUME}, (1.0, 0.0, 1.0), progress=Steps())


async def test_a_stack_goes_a_few_slices_at_a_time(client: SegmenterClient) -> None:
    stack = VOLUME.transpose(2, 1, 0)[:21]
    steps = Steps()
    answer = await client.segment_stack({"t1ce": stack, "t1": stack}, progress=steps)
    assert steps.told == [(8, 21), (16, 21), (21, 21)]
    assert answer.mask.shape == stack.shape
    assert answer.mask.dtype == np.bool_
    assert answer.result.model.name == "seg-t1"
    assert answer.result.labels == {"tumor": int(answer.mask.sum())}
    whole = [(await client.segment({"t1ce": one.astype(np.float32)})).mask for one in stack]
    np.testing.assert_array_equal(answer.mask, np.stack(whole))


async def test_a_stack_may_carry_a_record_and_be_stopped(client: SegmenterClient) -> None:
    sequences: dict[Sequence, NDArray[np.int16]] = {"flair": VOLUME.transpose(2, 1, 0)[:10]}
    features = dict.fromkeys(CLINICAL_FEATURES, 0.5)
    vector = ClinicalVector(features=features, imputed=(), model=model_ref("clinical"))
    plain = await client.segment_stack(sequences, vector, progress=Steps())
    asked = await client.segment_stack(sequences, vector, always_read=True, model="film", progress=Steps())
    assert (plain.result.clinical_used, plain.result.clinical_left_out) == (False, True)
    assert (asked.result.clinical_used, asked.result.clinical_left_out) == (True, False)
    steps = Steps(cancel_at=8)
    with pytest.raises(Canceled):
        await client.segment_stack(sequences, progress=steps)
    assert steps.told == [(8, 10)]
    with pytest.raises(ValueError, match="without slices"):
        await client.segment_stack({"t1": np.zeros((0, 8, 8), np.uint8)}, progress=Steps())
