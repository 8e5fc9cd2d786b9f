"""The route of a volume's sequences; how they are written has tests of its own."""

import gzip
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import nibabel
import numpy as np
import pytest
from fastapi import FastAPI

from gateway.api import artifacts, sequences
from gateway.findings import Findings
from gateway.recent import RecentVolumes
from gateway.volume_findings import VolumeFindings
from service_kit.errors import ServiceError
from tests.unit.gateway.fakes import picture
from tests.unit.gateway_volumes.test_slices_api import Shelf, as_problem
from tests.unit.gateway_volumes.test_volume_files_api import Cabinet
from tests.unit.gateway_volumes.volume_cases import ANALYSIS_ID, volume_case

CASE = volume_case((4.0, 3.0, 6.0), codes="PIR")
LOST = volume_case((8.0, 8.0, 8.0), oriented=False, outline="none")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    kept: dict[str, Findings | VolumeFindings] = {
        ANALYSIS_ID: CASE,
        "lost": LOST,
        "slice": Findings(CASE.analysis, picture(), None, None),
    }
    app = FastAPI()
    app.add_exception_handler(ServiceError, as_problem)
    with ThreadPoolExecutor(1) as threads:
        app.include_router(sequences.create_router(RecentVolumes(Shelf(kept)), threads))
        app.include_router(artifacts.create_router(Cabinet(kept), threads))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway") as http:
            yield http


@pytest.mark.parametrize("name", ["t1ce", "flair"])
async def test_a_sequence_is_what_its_slices_show(client: httpx.AsyncClient, name: str) -> None:
    link = CASE.analysis.links[f"sequence_{name}"]
    answer = await client.get(link)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/gzip"
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(answer.content))
    np.testing.assert_array_equal(np.asarray(image.dataobj), dict(CASE.pictures)[name])
    mask = nibabel.Nifti1Image.from_bytes(gzip.decompress((await client.get(CASE.analysis.links["mask"])).content))
    np.testing.assert_array_equal(image.affine, mask.affine)
    again = await client.get(link, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_volume_without_orientation_has_its_sequences_too(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/analyses/lost/sequences/flair.nii.gz")
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(answer.content))
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (0, 0)
    np.testing.assert_array_equal(np.asarray(image.dataobj), LOST.pictures["flair"])


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"{ANALYSIS_ID}/sequences/t2.nii.gz", "No such sequence. There are: t1ce, flair."),
        ("slice/sequences/t1ce.nii.gz", "single slice"),
        ("gone/sequences/t1ce.nii.gz", "No such analysis"),
    ],
)
async def test_what_is_not_there_is_told(client: httpx.AsyncClient, path: str, words: str) -> None:
    answer = await client.get(f"/v1/analyses/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]
