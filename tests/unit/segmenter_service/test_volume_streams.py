"""Streams of volumes: failures inside them, who waits, whose deadline holds, and who is gone."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from segmenter_service.app import create_app
from segmenter_service.settings import SegmenterSettings
from service_kit.deadline import DEADLINE_HEADER, remaining_s
from service_kit.errors import DeadlineExceeded, ServiceError
from service_kit.inference.manifest import ModelManifest
from service_kit.inference.tumor_regions import REGIONS
from service_kit.tensors import MEDIA_TYPE, encode
from service_kit.testing import FakeBackend, running_app
from tests.unit.segmenter_service.conftest import VOLUME
from tests.unit.segmenter_service.volume_answers import MM, PATH, answer, assert_refused, frames_of, problem, send
from tests.unit.service_kit.serving import on_a_socket


class Tiles:
    """A 3D model whose tiles the test lets through; what `answer` gives is every voxel's probability."""

    def __init__(self, models_dir: Path, answer: float = 0.0) -> None:
        self.answer = answer
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()
        self.ended = 0
        self.error: Exception | None = None
        self.canceled = asyncio.Event()
        self.left_s: list[float | None] = []
        flat = FakeBackend(ModelManifest.load(models_dir / "seg-t1"), self._flat)
        self.backend = FakeBackend(ModelManifest.load(models_dir / "unet3d"), self._infer)
        settings = SegmenterSettings(models=("seg-t1",), volumes_at_once=1, volumes_waiting=1)
        self.app = create_app(settings, backends=[flat], volume_backends=[self.backend])

    async def _infer(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        self.begun.set()
        self.left_s.append(remaining_s())
        if self.error is not None:
            raise self.error
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.canceled.set()
            raise
        self.ended += 1
        return {"probabilities": np.full((1, len(REGIONS), 16, 16, 16), self.answer, np.float32)}

    @staticmethod
    def _flat(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        return {"probabilities": np.zeros((len(arrays["image"]), 1, 32, 32), np.float32)}


@pytest.fixture
def tiles(models_dir: Path) -> Tiles:
    return Tiles(models_dir)


@pytest.fixture
async def on_tiles(tiles: Tiles) -> AsyncIterator[httpx.AsyncClient]:
    async with running_app(tiles.app) as client:
        yield client


@pytest.mark.parametrize("value", [np.nan, 1.5, -0.1])
async def test_what_is_no_probability_is_the_models_failure(
    tiles: Tiles, on_tiles: httpx.AsyncClient, value: float
) -> None:
    tiles.answer = value
    tiles.gate.set()
    *_, last = frames_of(await send(on_tiles, {"t1": VOLUME}))
    found = problem(last)
    assert (found["code"], found["status"], found["stage"]) == ("inference_failed", 500, "segmentation")
    assert tiles.ended == 1


@pytest.mark.parametrize(
    ("error", "code"), [(DeadlineExceeded("too late"), "deadline_exceeded"), (KeyError("a defect"), "internal_error")]
)
async def test_a_failure_inside_the_stream_is_its_last_frame(
    tiles: Tiles, on_tiles: httpx.AsyncClient, error: Exception, code: str
) -> None:
    tiles.error = error
    *_, last = frames_of(await send(on_tiles, {"t1": VOLUME}))
    assert problem(last)["code"] == code
    assert problem(last)["request_id"]
    assert ("too late" in problem(last)["detail"]) == isinstance(error, ServiceError)


async def test_volumes_wait_their_turn_and_slices_do_not(tiles: Tiles, on_tiles: httpx.AsyncClient) -> None:
    first = asyncio.create_task(send(on_tiles, {"t1": VOLUME}))
    await tiles.begun.wait()
    second, late = (asyncio.create_task(send(on_tiles, {"t1": VOLUME})) for _ in range(2))
    done, _ = await asyncio.wait((first, second, late), return_when=asyncio.FIRST_COMPLETED)
    assert done == {late}
    third = late.result()
    assert_refused(third, 503, "2 volumes are in work or wait")
    assert third.headers["retry-after"] == "30"
    assert third.json()["code"] == "overloaded"
    body = encode({"t1ce": np.zeros((1, 40, 40), np.uint8)})
    slices = await on_tiles.post("/v1/segmentations", content=body, headers={"content-type": MEDIA_TYPE})
    assert slices.status_code == 200
    assert len(tiles.backend.calls) == 1, "one volume is in work"
    tiles.gate.set()
    for response in await asyncio.gather(first, second):
        assert not answer(response)[0].any()
    assert (await send(on_tiles, {"t1": VOLUME})).status_code == 200, "the places were given back"


async def test_a_refused_request_gives_its_place_back(tiles: Tiles, on_tiles: httpx.AsyncClient) -> None:
    tiles.gate.set()
    for _ in range(5):
        assert_refused(await send(on_tiles, {}), 422, "no volume was sent")
    assert (await send(on_tiles, {"t1": VOLUME})).status_code == 200


async def test_only_the_callers_own_deadline_holds_for_the_tiles(tiles: Tiles, on_tiles: httpx.AsyncClient) -> None:
    tiles.gate.set()
    body = encode({"t1": VOLUME}, None, voxel_mm=MM)
    headers = {"content-type": MEDIA_TYPE, DEADLINE_HEADER: "3600000"}
    answer(await on_tiles.post(PATH, content=body, headers=headers))
    assert all(left is not None and 1800 < left < 3600 for left in tiles.left_s), "not the edge's 30 s"
    tiles.left_s.clear()
    answer(await send(on_tiles, {"t1": VOLUME}))
    assert set(tiles.left_s) == {None}


async def test_who_goes_away_ends_the_work_within_a_tile(tiles: Tiles) -> None:
    body = encode({"t1": VOLUME}, None, voxel_mm=MM)
    async with tiles.app.router.lifespan_context(tiles.app), on_a_socket(tiles.app) as port:
        for _ in range(3):  # more than there are places: each is given back
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                headers = {"content-type": MEDIA_TYPE}
                async with client.stream("POST", PATH, content=body, headers=headers) as response:
                    assert response.status_code == 200
                    await tiles.begun.wait()
            async with asyncio.timeout(10):
                await tiles.canceled.wait()
            assert (tiles.ended, len(tiles.backend.calls)) == (0, 1)
            tiles.begun.clear()
            tiles.canceled.clear()
            tiles.backend.calls.clear()
