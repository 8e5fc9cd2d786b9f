"""Series and volumes through gateway, worker and segmenter in this process, on tiny models and a real Redis."""

import asyncio
import gzip
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from redis.asyncio import Redis

from gateway.jobs import keys
from service_kit.inference.volume import VolumePreprocessing
from service_kit.testing import tiny_repository, tiny_volume_model
from tests.contract.conftest import Services, running, start
from tests.contract.test_jobs import serving
from tests.unit.gateway_jobs.fakes import until
from tests.unit.gateway_volumes.dicom_series import enhanced, series
from tests.unit.gateway_volumes.phantoms import nifti, zipped
from tests.unit.gateway_volumes.places import stored_as
from tests.unit.gateway_volumes.test_volume_pipeline import FOUR, LESION_MM, phantom

Json = dict[str, Any]
Files = list[tuple[str, tuple[str, bytes, str]]]
ALWAYS = {"options": json.dumps({"segment": "always"})}


@pytest.fixture(scope="module")
def repository_3d(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models, with one that reads volumes of 3 mm in patches of 32."""
    folder = tiny_repository(tmp_path_factory.mktemp("models-3d"))
    tiny_volume_model(folder, patch=32, volume=VolumePreprocessing(patch_voxels=32, spacing_mm=3.0))
    return folder


@pytest.fixture
async def services_3d(repository_3d: Path) -> AsyncIterator[Services]:
    async with running(start(repository_3d)) as started:
        yield started


@pytest.fixture
async def client(services_3d: Services, redis: Redis, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(services_3d, redis, tmp_path, in_gateway=True) as client:
        yield client


def volumes(codes: str = "RAS", degrees: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Files:
    voxels, affine = phantom(degrees)
    content = zipped(nifti(*stored_as(codes, voxels, affine)))
    return [(name, (f"{name}.nii.gz", content, "application/gzip")) for name in FOUR]


def dicom_files(plane: str) -> Files:
    voxels, affine = phantom()
    files = series(voxels.astype(np.uint16), affine, plane)
    np.random.default_rng(4).shuffle(files)
    return [("file", (f"{number}.dcm", content, "application/dicom")) for number, content in enumerate(files)]


async def analyzed(client: httpx.AsyncClient, files: Files, **form: Any) -> Json:
    """The finished analysis of what was sent without asking for a job."""
    accepted = await client.post("/v1/analyses", files=files, **({"data": ALWAYS} | form))
    assert accepted.status_code == 202, accepted.text
    assert "preference-applied" not in accepted.headers
    for _ in range(600):
        analysis: Json = (await client.get(accepted.headers["location"])).json()
        if analysis["state"] in {"succeeded", "failed"}:
            return analysis
        await asyncio.sleep(0.05)
    raise AssertionError(f"not finished: {analysis['progress']}")


async def center_mm(client: httpx.AsyncClient, analysis: Json) -> NDArray[np.float64]:
    """The outline's center by mask.nii.gz, as nibabel reads it."""
    answer = await client.get(analysis["links"]["mask"])
    assert answer.status_code == 200, answer.text
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(answer.content))
    places = np.argwhere(np.asarray(image.dataobj) > 0)
    return np.asarray(nibabel.affines.apply_affine(image.affine, places).mean(axis=0))


@pytest.mark.parametrize("codes", ["RAS", "LAS", "LPS"])
async def test_a_nifti_study_comes_back_with_its_lesion_in_place(client: httpx.AsyncClient, codes: str) -> None:
    analysis = await analyzed(client, volumes(codes))
    assert analysis["state"] == "succeeded", analysis["problem"]
    assert np.allclose(await center_mm(client, analysis), LESION_MM, atol=3)
    assert analysis["segmentation"]["volume"]["side"] == "right"
    assert analysis["input"]["geometry"]["axis_codes"] == codes
    assert analysis["models"][-1]["name"] == "unet3d"


async def test_an_oblique_study_comes_back_with_its_lesion_in_place(client: httpx.AsyncClient) -> None:
    analysis = await analyzed(client, volumes(degrees=(11.0, 7.0, -14.0)))
    assert np.allclose(await center_mm(client, analysis), LESION_MM, atol=3)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
async def test_a_shuffled_dicom_series_comes_back_with_its_lesion_in_place(
    client: httpx.AsyncClient, plane: str
) -> None:
    form = {"data": {"options": json.dumps({"segment": "always", "models": {"segmentation": "unet3d"}})}}
    analysis = await analyzed(client, dicom_files(plane), **form)
    assert analysis["state"] == "succeeded", analysis["problem"]
    assert analysis["input"]["kind"] == "series"
    assert np.allclose(await center_mm(client, analysis), LESION_MM, atol=3)


async def test_a_zip_and_a_multi_frame_file_are_taken(client: httpx.AsyncClient) -> None:
    voxels, affine = phantom()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for _, (name, content, _) in dicom_files("axial"):
            archive.writestr(f"study/{name}", content)
    frames = enhanced(voxels.astype(np.uint16), affine)
    for content in (packed.getvalue(), frames):
        analysis = await analyzed(client, [("file", ("scan", content, "application/octet-stream"))])
        assert analysis["state"] == "succeeded", analysis["problem"]
        assert analysis["input"]["slices"] == voxels.shape[2]


async def test_every_linked_file_is_there_and_none_is_kept_in_redis(client: httpx.AsyncClient, redis: Redis) -> None:
    analysis = await analyzed(client, volumes())
    for _ in range(2):  # rendered, then as it was kept
        for name, link in analysis["links"].items():
            if name != "events":
                answer = await client.get(link)
                assert answer.status_code == 200, (name, answer.text)
                assert answer.content
    fields = await redis.hkeys(keys.analysis(analysis["id"]))
    assert not [field for field in fields if field.startswith(b"artifact:")]


async def test_events_tell_of_tiles(client: httpx.AsyncClient) -> None:
    analysis = await analyzed(client, volumes())
    text = (await client.get(analysis["links"]["events"])).text
    told = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]
    assert {"decode", "view", "tumor", "segmentation"} <= {one["stage"] for one in told}
    assert max(one["total"] for one in told if one["stage"] == "segmentation") > 1
    assert told[-1]["state"] == "succeeded"


async def test_what_cannot_be_decoded_fails_with_its_reason(client: httpx.AsyncClient) -> None:
    voxels, affine = phantom()
    cut_short = zipped(nifti(voxels, affine))[:-2000]
    analysis = await analyzed(client, [("flair", ("flair.nii.gz", cut_short, "application/gzip"))])
    assert analysis["state"] == "failed"
    assert analysis["problem"]["code"] == "unreadable_file"


async def test_a_volume_is_refused_where_one_slice_is_wanted(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/segmentations", files=volumes()[:1])
    assert answer.status_code in {415, 422}
    assert "/v1/analyses" in answer.json()["detail"]


async def test_erasing_leaves_no_blob(client: httpx.AsyncClient, tmp_path: Path) -> None:
    analysis = await analyzed(client, volumes())
    # The worker erases the uploads when the result is there already.
    await until(lambda: [path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == ["findings"])
    assert (await client.delete(f"/v1/analyses/{analysis['id']}")).status_code == 204
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


async def test_a_record_is_not_explained_where_a_3d_network_outlines(client: httpx.AsyncClient, tmp_path: Path) -> None:
    form = {
        "options": json.dumps({"explain_metadata": True}),
        "clinical": json.dumps({"age": 61}),
    }
    answer = await client.post("/v1/analyses", files=volumes(), data=form)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid_options"
    assert "3D network, which reads no clinical record" in answer.json()["detail"]
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
