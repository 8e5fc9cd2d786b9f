"""Volumes over HTTP on a tiny 3D model: what comes out, and what is refused."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from segmenter_service.app import create_app
from segmenter_service.settings import SegmenterSettings
from service_kit import frames
from service_kit.contracts.models import ServedModels
from service_kit.contracts.segmentation import BoundaryBand, VolumeSegmentationResult
from service_kit.errors import ModelInvalid
from service_kit.inference.factory import InferenceSettings
from service_kit.inference.manifest import ModelManifest, Postprocessing
from service_kit.tensors import MEDIA_TYPE, encode, parse_result
from service_kit.testing import FakeBackend, running_app, tiny_model, tiny_volume_model
from tests.unit.segmenter_service.conftest import LESION, VOLUME
from tests.unit.segmenter_service.volume_answers import PATH, answer, assert_refused, frames_of, send

BAND = BoundaryBand(volume_mm=0.5, diameter_mm=2.0, coverage=0.9, fitted_on="nobody")


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
async def test_a_lesion_is_outlined_on_the_voxels_that_were_sent(client: httpx.AsyncClient, dtype: type) -> None:
    mask, result = answer(await send(client, {"flair": VOLUME.astype(dtype), "t1ce": VOLUME.astype(dtype)}))
    np.testing.assert_array_equal(mask > 0, LESION)
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 3}, "the tiny model's regions are all where it is brightest"
    assert result.names == {1: "necrotic_core", 2: "edema", 3: "enhancing_tumor"}
    assert result.labels == {"necrotic_core": 0, "edema": 0, "enhancing_tumor": int(LESION.sum())}
    assert result.sequences == ("t1", "t1ce", "t2", "flair")
    assert result.missing == ("t1", "t2")
    assert result.model.name == "unet3d"
    assert result.tiles > 1


async def test_voxels_of_another_size_are_brought_to_the_models_and_back(client: httpx.AsyncClient) -> None:
    mask, _ = answer(await send(client, {"t1": VOLUME}, voxel_mm="[1.0, 2.0, 0.8]"))
    assert mask.shape == VOLUME.shape
    assert 2 * ((mask > 0) & LESION).sum() / ((mask > 0).sum() + LESION.sum()) > 0.85


async def test_progress_counts_the_tiles(client: httpx.AsyncClient) -> None:
    found = frames_of(await send(client, {"t1": VOLUME}))
    total = parse_result(found[-1], VolumeSegmentationResult).tiles
    steps = [frames.progress_of(envelope) for envelope in found[1:-1]]
    assert steps == [(done, total) for done in range(total + 1)]


async def test_a_named_model_of_one_label_mirrored_and_with_a_band(tmp_path: Path) -> None:
    tiny_model(tmp_path, "segmentation")
    tiny_volume_model(tmp_path, name="plain", labels=("tumor",), sequences=("flair",), mirrored=(0, 2), band=BAND)
    tiny_volume_model(tmp_path)
    inference = InferenceSettings(models_dir=tmp_path)
    async with running_app(create_app(SegmenterSettings(models=("seg-t1",), inference=inference))) as client:
        every = answer(await send(client, {"flair": VOLUME}))[1]
        mask, result = answer(await send(client, {"flair": VOLUME}, "?model=plain"))
        listed = ServedModels.model_validate((await client.get("/v1/models")).json()).models
    assert every.band is None
    assert result.band == BAND
    assert result.names == {1: "tumor"}
    assert result.tiles == 4 * every.tiles
    np.testing.assert_array_equal(mask, LESION)
    assert [(one.ref.name, one.reads, one.default) for one in listed] == [
        ("seg-t1", "slices", True),
        ("unet3d", "volumes", True),
        ("plain", "volumes", False),
    ]


@pytest.mark.parametrize(
    ("arrays", "metadata", "words"),
    [
        ({}, {}, "no volume was sent"),
        ({"image": VOLUME}, {}, "another name"),
        ({"t1": VOLUME, "t2": VOLUME[:-1]}, {}, "one shape"),
        ({"t1": VOLUME[0]}, {}, "must be [x, y, z]"),
        ({"t1": VOLUME[:0]}, {}, "empty"),
        ({"t1": VOLUME.astype(np.float64)}, {}, "uint8 or int16 or float32, not float64"),
        ({"t1": np.full((9, 9, 9), np.nan, np.float32)}, {}, "NaN"),
        *[
            ({"t1": VOLUME}, {"voxel_mm": text}, "voxel_mm must be a JSON list [x, y, z]")
            for text in ("", "1", "[1, 1]", "[1, 1, 0]", "[1, 1, NaN]", "[1, 1, 1e9]", '["1", "1", "1"]', "[" * 5000)
        ],
    ],
)
async def test_what_cannot_be_read_is_refused_before_the_stream(
    client: httpx.AsyncClient, arrays: dict[str, NDArray[Any]], metadata: dict[str, str], words: str
) -> None:
    assert_refused(await send(client, arrays, **metadata), 422, words)


async def test_models_and_sizes_that_do_not_fit_are_refused(client: httpx.AsyncClient) -> None:
    assert_refused(await send(client, {"t1": VOLUME}, "?model=seg-t1"), 422, "choose one of unet3d")
    huge = await send(client, {"t1": np.zeros((500, 500, 8), np.uint8)}, voxel_mm="[2, 2, 50]")
    assert_refused(huge, 413, "1000 x 1000 x 400 mm")
    wrong_type = await client.post(PATH, content=b"", headers={"content-type": "application/json"})
    assert_refused(wrong_type, 415, "application/x-safetensors")


async def test_the_limit_for_volumes_is_another_than_for_slices(models_dir: Path) -> None:
    settings = SegmenterSettings(
        inference=InferenceSettings(models_dir=models_dir), max_body_bytes=20_000, max_volume_bytes=2 * VOLUME.nbytes
    )
    async with running_app(create_app(settings)) as client:
        body, headers = encode({"t1": VOLUME}), {"content-type": MEDIA_TYPE}
        assert (await client.post("/v1/segmentations", content=body, headers=headers)).status_code == 413
        assert (await send(client, {"t1": VOLUME})).status_code == 200
        assert_refused(await send(client, {"t1": VOLUME, "t2": VOLUME}), 413, "larger than")


async def test_a_repository_without_3d_models_serves_slices_and_says_so(tmp_path: Path) -> None:
    tiny_model(tmp_path, "segmentation")
    settings = SegmenterSettings(models=("seg-t1",), inference=InferenceSettings(models_dir=tmp_path))
    async with running_app(create_app(settings)) as client:
        assert_refused(await send(client, {"t1": VOLUME}), 422, "no model that reads volumes is published")
        assert (await client.get("/health/ready")).json()["checks"] == {"seg-t1": True}
    with pytest.raises(ModelInvalid, match="no segmentation model called unet3d; published: none"):
        create_app(settings.model_copy(update={"volume_models": ("unet3d",)}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ("edema", "core")}, "its labels must be"),
        ({"sequences": ("t1", "t1", "t2", "flair")}, "each once"),
        ({"sequences": ("t1", "dwi", "t2", "flair")}, "its sequences must be of"),
        ({"sequences": ("t1", "t2")}, r"its volume must be FP32 \[N, 2, 16, 16, 16\]"),
        ({"postprocessing": Postprocessing(min_component_px=5)}, "min_component_px is for models that read slices"),
    ],
)
def test_a_model_that_cannot_be_served_ends_the_start(models_dir: Path, changes: dict[str, Any], words: str) -> None:
    manifest = ModelManifest.load(models_dir / "unet3d").model_copy(update=changes)
    flat = FakeBackend(ModelManifest.load(models_dir / "seg-t1"), lambda _: {})
    with pytest.raises(ModelInvalid, match=words):
        create_app(SegmenterSettings(), backends=[flat], volume_backends=[FakeBackend(manifest, lambda _: {})])


async def test_openapi_tells_of_the_stream_and_its_last_frame(client: httpx.AsyncClient) -> None:
    operation = (await client.get("/openapi.json")).json()["paths"][PATH]["post"]
    assert MEDIA_TYPE in operation["requestBody"]["content"]
    example = operation["responses"]["200"]["content"][frames.MEDIA_TYPE]["x-result-example"]
    assert VolumeSegmentationResult.model_validate(example).missing == ("t2",)
    assert {"413", "415", "422", "503", "504"} <= operation["responses"].keys()
