"""The models and fakes that other tests rely on."""

from pathlib import Path

import numpy as np
import pytest

from service_kit.errors import InferenceFailed, NotReady
from service_kit.inference.factory import InferenceSettings, open_backend
from service_kit.inference.manifest import ModelManifest
from service_kit.testing import CLINICAL_COLUMNS, FakeBackend, tiny_model, tiny_repository


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_repository(tmp_path_factory.mktemp("models"))


async def test_segmentation_marks_what_is_bright(models: Path) -> None:
    backend = open_backend(InferenceSettings(models_dir=models), "seg-t1")
    image = np.zeros((1, 1, 32, 32), np.uint8)
    image[0, 0, 8:16, 4:20] = 255
    probabilities = (await backend.infer({"image": image}))["probabilities"]
    np.testing.assert_array_equal(probabilities[0, 0] > 0.5, image[0, 0] > 0)
    await backend.aclose()


async def test_clinical_input_shifts_the_segmentation(models: Path) -> None:
    backend = open_backend(InferenceSettings(models_dir=models), "seg-flair-film")
    image = np.full((2, 3, 32, 32), 120, np.uint8)
    clinical = np.array([[0, 0, 0], [3, 3, 3]], np.float32)
    low, high = (await backend.infer({"image": image, "clinical": clinical}))["probabilities"]
    assert low.max() < 0.5 < high.min()
    await backend.aclose()


async def test_clinical_fills_in_and_scales(models: Path) -> None:
    backend = open_backend(InferenceSettings(models_dir=models), "clinical")
    record = np.array([[20, 2, 3], [np.nan, np.nan, np.nan]], np.float32)
    vector = (await backend.infer({"record": record}))["vector"]
    np.testing.assert_allclose(vector, np.array([[0.0, 2.0, 1.0], [0.5, 1.0, 0.0]]), atol=1e-6)
    assert [column.name for column in CLINICAL_COLUMNS] == list(backend.manifest.clinical_features)
    await backend.aclose()


async def test_tumor_and_view_look_at_their_inputs(models: Path) -> None:
    settings = InferenceSettings(models_dir=models)
    view, tumor = open_backend(settings, "view"), open_backend(settings, "tumor")
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (2, 1, 32, 32), dtype=np.uint8)
    seen = await view.infer({"image": images})
    assert np.abs(seen["logits"][0] - seen["logits"][1]).max() > 1e-3
    told = await tumor.infer({"image": images, "view_features": seen["features"]})
    blind = await tumor.infer({"image": images, "view_features": np.zeros_like(seen["features"])})
    assert np.abs(told["logits"] - blind["logits"]).max() > 1e-3
    np.testing.assert_allclose(blind["logits"], blind["cam"].mean(axis=(2, 3)), atol=1e-4)
    await view.aclose()
    await tumor.aclose()


def test_tiny_model_is_written_whole_and_can_be_changed(tmp_path: Path) -> None:
    manifest = tiny_model(tmp_path, "view", name="other", size=64, version="9", title="Changed")
    assert ModelManifest.load(tmp_path / "other") == manifest
    assert (manifest.name, manifest.version, manifest.title) == ("other", "9", "Changed")
    assert manifest.inputs[0].shape == (-1, 1, 64, 64)
    config = (tmp_path / "other" / "config.pbtxt").read_text()
    assert 'backend: "onnxruntime"' in config
    assert "dims: [ 1, 64, 64 ]" in config


async def test_fake_backend(models: Path) -> None:
    manifest = ModelManifest.load(models / "clinical")
    fake = FakeBackend(manifest, lambda arrays: {"vector": arrays["record"] + 1})
    record = np.zeros((1, 3), np.float32)
    np.testing.assert_array_equal((await fake.infer({"record": record}))["vector"], record + 1)
    assert len(fake.calls) == 1
    with pytest.raises(InferenceFailed):
        await fake.infer({"record": record.astype(np.float64)})
    assert await fake.ready()
    fake.is_ready = False
    assert not await fake.ready()
    await fake.aclose()
    with pytest.raises(NotReady):
        await fake.infer({"record": record})
