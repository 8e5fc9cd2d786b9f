"""The segmenter on the repository's own models: what the service answers is what evaluation measures."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from segmenter_service.app import create_app
from segmenter_service.settings import SegmenterSettings
from service_kit.contracts.segmentation import SegmentationResult
from service_kit.inference.factory import InferenceSettings, open_backend
from service_kit.inference.postprocessing import postprocess
from service_kit.tensors import MEDIA_TYPE, Envelope, decode, encode, parse_result
from service_kit.testing import running_app

MODELS = Path(__file__).parents[3] / "models"
ENGINE = InferenceSettings(models_dir=MODELS)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with running_app(create_app(SegmenterSettings(inference=ENGINE))) as client:
        yield client


@pytest.fixture
def stack() -> NDArray[np.uint8]:
    """Six slices `[6, 200, 180]` of something like a head with a bright lesion that grows."""
    row, column = np.mgrid[:200, :180]
    radius = np.hypot((row - 100) / 90, (column - 90) / 75)
    picture = np.where(radius < 1, np.where(radius > 0.92, 220, 90 + 10 * np.sin(row / 6)), 0)
    slices = np.repeat(picture[None].astype(np.uint8), 6, axis=0)
    for number in range(6):
        slices[number, np.hypot(row - 70, column - 60) < 4 * number] = 240
    return slices


async def send(client: httpx.AsyncClient, arrays: dict[str, NDArray[np.uint8]], query: str = "") -> Envelope:
    content = encode(arrays, None, return_probabilities="true")
    response = await client.post(f"/v1/segmentations{query}", content=content, headers={"content-type": MEDIA_TYPE})
    assert response.status_code == 200, response.text
    return decode(response.content)


@pytest.mark.parametrize("name", ["seg-t1", "seg-flair-film"])
async def test_the_mask_is_what_the_model_and_the_shared_functions_say(
    client: httpx.AsyncClient, stack: NDArray[np.uint8], name: str
) -> None:
    channels = {"seg-t1": {"t1ce": stack}, "seg-flair-film": {"t1": stack[::-1], "flair": stack, "t1ce": 255 - stack}}
    envelope = await send(client, channels[name], f"?model={name}")
    found = parse_result(envelope, SegmentationResult)
    backend = open_backend(ENGINE, name)
    manifest = backend.manifest
    assert manifest.preprocessing is not None
    assert manifest.postprocessing is not None
    assert found.sequences == manifest.sequences
    for number in range(len(stack)):
        placement = manifest.preprocessing.place(stack[number])
        planes = [manifest.preprocessing.apply(channels[name][s][number], placement)[0] for s in found.sequences]
        arrays: dict[str, NDArray[np.generic]] = {"image": np.stack(planes)[None]}
        if manifest.clinical_features:
            arrays["clinical"] = np.array([manifest.clinical_default], np.float32)
        plane = (await backend.infer(arrays))["probabilities"][0, 0]
        restored = placement.restore(plane)
        assert np.allclose(envelope.arrays["probabilities"][number], restored, atol=1e-4)
        mask = postprocess(plane, placement, manifest.postprocessing)
        # A pixel within a rounding error of the threshold may fall on either side in a batch.
        certain = np.abs(restored - manifest.postprocessing.threshold) > 1e-4
        assert np.array_equal(envelope.arrays["mask"][number][certain], mask[certain])
    await backend.aclose()


async def test_flair_alone_is_enough(client: httpx.AsyncClient, stack: NDArray[np.uint8]) -> None:
    found = parse_result(await send(client, {"flair": stack}), SegmentationResult)
    assert found.model.name == "seg-flair-film"
    assert found.substituted == {"t1": "flair", "t1ce": "flair"}
    assert not found.clinical_used


@pytest.mark.parametrize(("sent", "substituted"), [("t1ce", {}), ("t1", {"t1ce": "t1"}), ("t2", {"t1ce": "t2"})])
async def test_one_sequence_other_than_flair_goes_to_the_model_for_t1(
    client: httpx.AsyncClient, stack: NDArray[np.uint8], sent: str, substituted: dict[str, str]
) -> None:
    found = parse_result(await send(client, {sent: stack}), SegmentationResult)
    assert found.model.name == "seg-t1"
    assert found.substituted == substituted
