"""The route of the artifacts on volumes; the files themselves have tests of their own."""

import gzip
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import nibabel
import numpy as np
import pytest
from fastapi import FastAPI

from gateway.api import artifacts
from gateway.artifacts import MEDIA_TYPES, volume_available
from gateway.findings import Findings
from gateway.volume_findings import VolumeFindings
from service_kit.errors import NotFound, ServiceError
from tests.unit.gateway.fakes import picture
from tests.unit.gateway_volumes.test_slices_api import as_problem
from tests.unit.gateway_volumes.volume_cases import ANALYSIS_ID, volume_case

BARE = volume_case((12, 12, 12), outline="none", mapped=False)
FULL = volume_case((8, 8, 8))


@dataclass
class Cabinet:
    """A store of findings and their files, by id."""

    kept: dict[str, Findings | VolumeFindings]
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)

    async def findings(self, analysis_id: str) -> Findings | VolumeFindings:
        if analysis_id not in self.kept:
            raise NotFound("No such analysis.")
        return self.kept[analysis_id]

    async def artifact(self, analysis_id: str, name: str) -> bytes | None:
        await self.findings(analysis_id)
        return self.files.get((analysis_id, name))

    async def keep_artifact(self, analysis_id: str, name: str, content: bytes) -> None:
        self.files[analysis_id, name] = content


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    cabinet = Cabinet({ANALYSIS_ID: FULL, "bare": BARE, "slice": Findings(BARE.analysis, picture(), None, None)})
    app = FastAPI()
    app.add_exception_handler(ServiceError, as_problem)
    with ThreadPoolExecutor(1) as threads:
        app.include_router(artifacts.create_router(cabinet, threads))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway") as http:
            yield http


async def test_every_link_of_a_volume_leads_to_a_file(client: httpx.AsyncClient) -> None:
    links = dict(FULL.analysis.links)
    assert links.pop("slices") == f"/v1/analyses/{ANALYSIS_ID}/slices"
    assert links.pop("self") == f"/v1/analyses/{ANALYSIS_ID}"
    assert links.pop("sequence_t1ce") == f"/v1/analyses/{ANALYSIS_ID}/sequences/t1ce.nii.gz"
    assert links.pop("sequence_flair") == f"/v1/analyses/{ANALYSIS_ID}/sequences/flair.nii.gz"
    assert set(links) == {
        "input", "mask", "overlay", "heatmap", "report", "report_pdf", "evidence", "saliency", "thumbnail",
    }  # fmt: skip
    for link in links.values():
        answer = await client.get(link)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == MEDIA_TYPES[link.rsplit("/", 1)[-1]]
        again = await client.get(link, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    mask = nibabel.Nifti1Image.from_bytes(gzip.decompress((await client.get(links["mask"])).content))
    np.testing.assert_array_equal(np.asarray(mask.dataobj), FULL.labels)
    np.testing.assert_allclose(mask.affine, FULL.grid.affine)


@pytest.mark.parametrize(
    ("owner", "name", "words"),
    [
        (ANALYSIS_ID, "mask.png", "a volume's mask is mask.nii.gz"),
        (ANALYSIS_ID, "segmentation.dcm", "No such artifact. There are: input.png, mask.nii.gz, overlay.png"),
        ("slice", "mask.nii.gz", "a slice's mask is mask.png"),
        ("bare", "mask.nii.gz", "Nothing was outlined"),
        ("bare", "heatmap.png", "heatmap true"),
        ("bare", "saliency.png", "heatmap true"),
        ("gone", "report.pdf", "No such analysis"),
    ],
)
async def test_what_there_is_not_is_told(client: httpx.AsyncClient, owner: str, name: str, words: str) -> None:
    answer = await client.get(f"/v1/analyses/{owner}/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


def test_without_an_outline_the_planes_are_still_there() -> None:
    assert volume_available(outlined=False, mapped=False) == (
        "input.png",
        "overlay.png",
        "report.html",
        "evidence.json",
        "report.pdf",
        "thumbnail.png",
    )
