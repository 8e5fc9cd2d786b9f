"""The classifier on the repository's own models: what the service answers is what the models say."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from classifier_service.app import create_app
from classifier_service.settings import ClassifierSettings
from service_kit.contracts.classification import TumorResult, ViewResult
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.factory import InferenceSettings, open_backend
from service_kit.tensors import MEDIA_TYPE, Envelope, decode, encode, parse_result
from service_kit.testing import running_app

MODELS = Path(__file__).parents[3] / "models"
ENGINE = InferenceSettings(models_dir=MODELS)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with running_app(create_app(ClassifierSettings(inference=ENGINE))) as client:
        yield client


@pytest.fixture
def head() -> NDArray[np.uint8]:
    """Something like an axial head, 200 x 180: a bright rim, gray inside, a bright lesion."""
    row, column = np.mgrid[:200, :180]
    radius = np.hypot((row - 100) / 90, (column - 90) / 75)
    picture = np.where(radius < 1, np.where(radius > 0.92, 220, 90 + 10 * np.sin(row / 6)), 0)
    picture[np.hypot(row - 70, column - 60) < 14] = 240
    return picture.astype(np.uint8)


async def send(client: httpx.AsyncClient, path: str, **arrays: NDArray[np.generic]) -> Envelope:
    response = await client.post(path, content=encode(arrays), headers={"content-type": MEDIA_TYPE})
    assert response.status_code == 200, response.text
    return decode(response.content)


def softmax(backend: InferenceBackend, logits: NDArray[np.float32]) -> NDArray[np.float64]:
    assert backend.manifest.calibration is not None
    weights = np.exp(logits.astype(np.float64) / backend.manifest.calibration.temperature)
    return np.asarray(weights / weights.sum(), np.float64)


async def test_the_view_is_what_the_model_says(client: httpx.AsyncClient, head: NDArray[np.uint8]) -> None:
    envelope = await send(client, "/v1/view-classifications", image=head)
    found = parse_result(envelope, ViewResult)
    backend = open_backend(ENGINE, "view")
    assert backend.manifest.preprocessing is not None
    outputs = await backend.infer({"image": backend.manifest.preprocessing.apply(head)[0][None, None]})
    expected = softmax(backend, outputs["logits"][0])
    assert list(found.view.probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-6)
    assert np.allclose(envelope.arrays["features"], outputs["features"][0], atol=1e-5)
    await backend.aclose()


async def test_the_tumor_is_what_the_model_says(client: httpx.AsyncClient, head: NDArray[np.uint8]) -> None:
    features = (await send(client, "/v1/view-classifications", image=head)).arrays["features"]
    envelope = await send(client, "/v1/tumor-classifications?heatmap=true", image=head, view_features=features)
    found = parse_result(envelope, TumorResult)
    backend = open_backend(ENGINE, "tumor")
    manifest = backend.manifest
    assert manifest.preprocessing is not None
    assert manifest.calibration is not None
    grid, _ = manifest.preprocessing.apply(head)
    outputs = await backend.infer({"image": grid[None, None], "view_features": features[None]})
    expected = dict(zip(manifest.labels, softmax(backend, outputs["logits"][0]).tolist(), strict=True))
    assert found.tumor.probabilities == pytest.approx(expected, abs=1e-6)
    thresholds = manifest.calibration.thresholds
    assert set(found.tumor.prediction_set) == {name for name in expected if expected[name] >= thresholds[name]}
    assert found.tumor.present_probability == pytest.approx(1 - expected["no_tumor"], abs=1e-6)
    assert found.heatmap_label is not None
    cam = outputs["cam"][0, manifest.labels.index(found.heatmap_label)]
    heatmap = envelope.arrays["heatmap"]
    assert heatmap.shape == cam.shape
    assert heatmap.max() in {0.0, 1.0}
    assert not heatmap[cam <= 0].any()
    await backend.aclose()


@pytest.mark.parametrize("scale", [1, 2, 16])
async def test_brightness_and_depth_do_not_matter(
    client: httpx.AsyncClient, head: NDArray[np.uint8], scale: int
) -> None:
    as_sent = parse_result(await send(client, "/v1/view-classifications", image=head), ViewResult)
    scaled = head.astype(np.float32) * scale + 7
    found = parse_result(await send(client, "/v1/view-classifications", image=scaled), ViewResult)
    assert found.view.probabilities == pytest.approx(as_sent.view.probabilities, abs=0.05)
