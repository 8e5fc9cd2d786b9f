import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI, Request, Response
from PIL import Image

from gateway.api import slices
from gateway.findings import Findings
from gateway.recent import RecentVolumes
from gateway.slices import SliceStack
from gateway.volume_findings import VolumeFindings
from service_kit import problems
from service_kit.errors import NotFound, ServiceError
from tests.unit.gateway.fakes import picture
from tests.unit.gateway_volumes.volume_cases import ANALYSIS_ID, volume_case

HERE = f"/v1/analyses/{ANALYSIS_ID}/slices"
SPACING_MM = (4.0, 3.0, 6.0)


@dataclass
class Shelf:
    """A store of findings by id, which counts how often they are read."""

    kept: dict[str, Findings | VolumeFindings]
    reads: list[str] = field(default_factory=list)

    async def document(self, analysis_id: str) -> bytes:
        return self._found(analysis_id).analysis.model_dump_json().encode()

    async def findings(self, analysis_id: str) -> Findings | VolumeFindings:
        self.reads.append(analysis_id)
        await asyncio.sleep(0)
        return self._found(analysis_id)

    def _found(self, analysis_id: str) -> Findings | VolumeFindings:
        if analysis_id not in self.kept:
            raise NotFound("No such analysis.")
        return self.kept[analysis_id]


@dataclass
class Viewer:
    """What a viewer sees of a gateway that has these findings."""

    shelf: Shelf

    async def get(self, path: str, **query: Any) -> httpx.Response:
        app = FastAPI()
        app.add_exception_handler(ServiceError, as_problem)
        with ThreadPoolExecutor(1) as threads:
            app.include_router(slices.create_router(RecentVolumes(self.shelf), threads))
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                headers = query.pop("headers", {})
                return await client.get(path, params=query, headers=headers)


@pytest.fixture(scope="module")
def case() -> VolumeFindings:
    return volume_case(SPACING_MM, codes="LPS")


@pytest.fixture
def viewer(case: VolumeFindings) -> Viewer:
    return Viewer(Shelf({ANALYSIS_ID: case}))


async def as_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return problems.render(error)


def opened(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return Image.open(io.BytesIO(answer.content))


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
async def test_a_slice_is_its_voxels_with_their_spacing(viewer: Viewer, case: VolumeFindings, plane: Any) -> None:
    stack = SliceStack(case.grid, plane)
    index = stack.shape[0] // 3
    image = opened(await viewer.get(f"{HERE}/{plane}/{index}.png"))
    assert image.mode == "L"
    np.testing.assert_array_equal(np.asarray(image), stack.take(case.pictures["t1ce"])[index])
    across, down = image.info["dpi"]
    _, tall_mm, wide_mm = stack.spacing_mm
    assert (25.4 / down, 25.4 / across) == pytest.approx((tall_mm, wide_mm), rel=0.01)


async def test_another_sequence_and_the_outline(viewer: Viewer, case: VolumeFindings) -> None:
    assert case.labels is not None
    stack = SliceStack(case.grid, "axial")
    key = case.analysis.key_slice
    assert key is not None
    cut = stack.take(case.labels)[key.index]
    flair = stack.take(case.pictures["flair"])[key.index]
    path = f"{HERE}/axial/{key.index}.png"
    np.testing.assert_array_equal(np.asarray(opened(await viewer.get(path, sequence="flair"))), flair)
    drawn = np.asarray(opened(await viewer.get(path, sequence="flair", overlay=True)))
    np.testing.assert_array_equal(drawn[cut == 0], np.repeat(flair[cut == 0][:, None], 3, axis=1))
    assert (np.ptp(drawn[cut > 0].astype(int), axis=1) > 0).all()
    core = np.asarray(opened(await viewer.get(path, sequence="flair", overlay=True, labels="necrotic_core")))
    changed = np.ptp(core.astype(int), axis=2) > 0
    assert changed.any()
    assert not changed[cut != 1].any()


async def test_the_listing_says_where_the_outline_is(viewer: Viewer, case: VolumeFindings) -> None:
    assert case.labels is not None
    body = (await viewer.get(HERE)).json()
    assert body["sequences"] == ["t1ce", "flair"]
    assert body["labels"] == ["necrotic_core", "edema", "enhancing_tumor"]
    assert set(body["planes"]) == {"axial", "coronal", "sagittal"}
    for plane, about in body["planes"].items():
        stack = SliceStack(case.grid, plane)
        assert (about["slices"], about["rows"], about["columns"]) == stack.shape
        assert about["spacing_mm"] == pytest.approx(stack.spacing_mm)
        assert len(about["outlined_px"]) == about["slices"]
        assert sum(about["outlined_px"]) == np.count_nonzero(case.labels)
        widest = int(np.argmax(about["outlined_px"]))
        assert np.count_nonzero(stack.take(case.labels)[widest]) == about["outlined_px"][widest]
        number = about["slices"] - 1
        assert (await viewer.get(body["path"].format(plane=plane, number=number))).status_code == 200
    assert body["key_slice"] == case.analysis.model_dump(mode="json")["key_slice"]


async def test_a_known_slice_is_not_sent_again(viewer: Viewer) -> None:
    first = await viewer.get(f"{HERE}/axial/3.png")
    assert "private" in first.headers["cache-control"]
    again = await viewer.get(f"{HERE}/axial/3.png", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await viewer.get(f"{HERE}/axial/4.png")).headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    ("path", "query", "status", "words"),
    [
        ("axial/99.png", {}, 404, "axial ones are 0 to 27"),
        ("axial/-1.png", {}, 404, "axial ones are 0 to 27"),
        ("axial/one.png", {}, 404, "axial ones are 0 to 27"),
        ("axial/²³.png", {}, 404, "axial ones are 0 to 27"),
        (f"axial/{'9' * 5000}.png", {}, 404, "axial ones are 0 to 27"),
        ("oblique/1.png", {}, 404, "axial, coronal, sagittal"),
        ("axial/1.png", {"sequence": "t2"}, 404, "t1ce, flair"),
        ("axial/1.png", {"labels": "edema"}, 422, "overlay=true"),
        ("axial/1.png", {"labels": "edema,bone", "overlay": True}, 422, "edema, enhancing_tumor, necrotic_core"),
    ],
)
async def test_what_is_not_there_is_refused(
    viewer: Viewer, path: str, query: dict[str, Any], status: int, words: str
) -> None:
    answer = await viewer.get(f"{HERE}/{path}", **query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


async def test_slices_analyses_unknown_ones_and_those_without_outline() -> None:
    bare = volume_case(outline="none")
    slice_findings = Findings(bare.analysis, picture(), None, None)
    shelf = Shelf({"slice": slice_findings, ANALYSIS_ID: bare})
    viewer = Viewer(shelf)
    for path in ("slices", "slices/axial/1.png"):
        answer = await viewer.get(f"/v1/analyses/slice/{path}")
        assert answer.status_code == 404
        assert "single slice" in answer.json()["detail"]
        assert (await viewer.get(f"/v1/analyses/gone/{path}")).status_code == 404
    refused = await viewer.get(f"{HERE}/axial/1.png", overlay=True)
    assert (refused.status_code, "Nothing was outlined" in refused.json()["detail"]) == (404, True)
    body = (await viewer.get(HERE)).json()
    assert body["labels"] == []
    assert body["planes"]["axial"]["outlined_px"] is None


async def test_volumes_that_are_looked_at_are_read_once(case: VolumeFindings) -> None:
    shelf = Shelf({"a": case, "b": case})
    recent = RecentVolumes(shelf)
    found = await asyncio.gather(*(recent.get("a") for _ in range(5)), recent.get("b"))
    assert all(one is case for one in found)
    assert sorted(shelf.reads) == ["a", "b"]
    await recent.get("a")
    assert len(shelf.reads) == 2


async def test_an_erased_volume_is_not_shown_from_memory(case: VolumeFindings) -> None:
    shelf = Shelf({"a": case})
    recent = RecentVolumes(shelf)
    await recent.get("a")
    del shelf.kept["a"]
    with pytest.raises(NotFound):
        await recent.get("a")
    assert recent.held_bytes == 0


async def test_what_is_forgotten_is_not_kept_also_while_it_is_read(case: VolumeFindings) -> None:
    shelf = Shelf({"a": case})
    recent = RecentVolumes(shelf)
    await recent.get("a")
    recent.forget("a")
    assert recent.held_bytes == 0
    reading = asyncio.create_task(recent.get("a"))
    while len(shelf.reads) < 2:  # noqa: ASYNC110 - the read itself goes on
        await asyncio.sleep(0)
    recent.forget("a")
    assert await reading is case
    assert recent.held_bytes == 0


async def test_memory_is_bounded_and_given_back(case: VolumeFindings) -> None:
    assert case.labels is not None
    size = 3 * case.labels.nbytes
    shelf = Shelf(dict.fromkeys("abc", case))
    recent = RecentVolumes(shelf, max_bytes=2 * size, idle_s=0.2)
    for name in "abcb":
        await recent.get(name)
        assert recent.held_bytes <= 2 * size
    assert shelf.reads == ["a", "b", "c"]
    await recent.get("a")
    assert shelf.reads == ["a", "b", "c", "a"]
    async with asyncio.timeout(10):
        while recent.held_bytes:  # noqa: ASYNC110 - a timer inside ends it
            await asyncio.sleep(0.02)
    tiny = RecentVolumes(shelf, max_bytes=size - 1)
    assert await tiny.get("a") is case
    assert tiny.held_bytes == 0
