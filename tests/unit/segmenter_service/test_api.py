import json
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from segmenter_service.app import create_app
from segmenter_service.settings import SegmenterSettings
from service_kit.contracts.models import ServedModels
from service_kit.contracts.segmentation import SegmentationResult
from service_kit.errors import ModelInvalid
from service_kit.tensors import MEDIA_TYPE, Envelope, decode, encode, parse_result
from service_kit.testing import CLINICAL_FEATURES, running_app

PATH = "/v1/segmentations"
NAMES = json.dumps(CLINICAL_FEATURES)
PIXELS = np.zeros((2, 8, 8), np.uint8)


async def send(
    client: httpx.AsyncClient, arrays: dict[str, NDArray[Any]], query: str = "", **metadata: str
) -> httpx.Response:
    content = encode(arrays, None, **metadata)
    return await client.post(f"{PATH}{query}", content=content, headers={"content-type": MEDIA_TYPE})


def answer(response: httpx.Response) -> tuple[Envelope, SegmentationResult]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    envelope = decode(response.content)
    return envelope, parse_result(envelope, SegmentationResult)


def assert_problem(response: httpx.Response, status: int, *words: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert all(word in response.json()["detail"] for word in words), response.json()["detail"]


@pytest.mark.parametrize(
    ("sequences", "model", "substituted"),
    [
        (("t1", "t1ce", "flair"), "seg-flair-film", {}),
        (("flair", "t2"), "seg-flair-film", {"t1": "flair", "t1ce": "flair"}),
        (("t1ce",), "seg-t1", {}),
        (("t1", "t2"), "seg-t1", {"t1ce": "t1"}),
        (("t2",), "seg-t1", {"t1ce": "t2"}),
    ],
)
async def test_a_stack_is_segmented_by_the_model_for_its_sequences(
    client: httpx.AsyncClient,
    stack: NDArray[np.uint8],
    sequences: tuple[str, ...],
    model: str,
    substituted: dict[str, str],
) -> None:
    envelope, result = answer(await send(client, dict.fromkeys(sequences, stack)))
    assert result.model.name == model
    assert result.substituted == substituted
    assert envelope.arrays.keys() == {"mask"}
    mask = envelope.arrays["mask"]
    assert mask.dtype == np.uint8
    assert mask.shape == stack.shape
    assert set(np.unique(mask)) == {0, 1}
    truth = stack[1:] == 250
    assert 2 * (mask[1:] & truth).sum() / (mask[1:].sum() + truth.sum()) > 0.9
    assert result.labels == {"tumor": int(mask.sum())}


async def test_a_named_model_wins(client: httpx.AsyncClient, stack: NDArray[np.uint8]) -> None:
    _, result = answer(await send(client, {"flair": stack, "t1ce": stack}, "?model=seg-t1"))
    assert result.model.name == "seg-t1"
    assert result.sequences == ("t1ce",)


async def test_probabilities_come_when_asked_for(client: httpx.AsyncClient, stack: NDArray[np.uint8]) -> None:
    envelope, _ = answer(await send(client, {"t1ce": stack.astype(np.float32)}, return_probabilities="true"))
    probabilities = envelope.arrays["probabilities"]
    assert probabilities.dtype == np.float32
    assert np.array_equal(probabilities >= 0.5, envelope.arrays["mask"])


async def test_the_clinical_vector_changes_the_answer(client: httpx.AsyncClient, stack: NDArray[np.uint8]) -> None:
    vector = np.array([9.0, 9.0, 9.0], np.float32)  # shifts the tiny model's threshold below everything
    _, without = answer(await send(client, {"flair": stack}))
    _, result = answer(await send(client, {"flair": stack, "clinical": vector}, clinical_features=NAMES))
    assert result.clinical_used
    assert not without.clinical_used
    assert result.labels["tumor"] > without.labels["tumor"]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({}, "no picture was sent"),
        ({"clinical": np.zeros(3, np.float32)}, "no picture was sent"),
        ({"image": PIXELS}, "t1, t1ce, t2, flair"),
        ({"t1": PIXELS, "t1c": PIXELS}, "another name"),
        ({"t1": PIXELS[0]}, "[slices, rows, columns]"),
        ({"t1": PIXELS[:0]}, "empty"),
        ({"t1": PIXELS.astype(np.int16)}, "uint8 or float32"),
        ({"t1": PIXELS.astype(np.float16)}, "uint8 or float32"),
        ({"t1": PIXELS, "flair": PIXELS[:1]}, "one shape"),
        ({"t1": PIXELS, "flair": PIXELS[:, :, :4]}, "one shape"),
        ({"t1": np.full((1, 4, 4), np.nan, np.float32)}, "NaN"),
        ({"t1": np.zeros((513, 1, 1), np.uint8)}, "at most 512"),
        ({"flair": PIXELS, "clinical": np.zeros(2, np.float32)}, "clinical"),
        ({"flair": PIXELS, "clinical": np.zeros(3, np.float64)}, "clinical must be float32"),
        ({"flair": PIXELS, "clinical": np.full(3, np.nan, np.float32)}, "clinical holds NaN"),
    ],
)
async def test_bad_arrays_are_refused(client: httpx.AsyncClient, arrays: dict[str, NDArray[Any]], words: str) -> None:
    assert_problem(await send(client, arrays, clinical_features=NAMES), 422, words)


async def test_bad_metadata_is_refused(client: httpx.AsyncClient) -> None:
    vector = np.zeros(3, np.float32)
    assert_problem(await send(client, {"flair": PIXELS, "clinical": vector}), 422, "clinical_features")
    other = json.dumps(["a", "b", "c"])
    response = await send(client, {"flair": PIXELS, "clinical": vector}, clinical_features=other)
    assert_problem(response, 422, "age, sex, who_grade")
    assert_problem(await send(client, {"t1": PIXELS}, return_probabilities="yes"), 422, "true or false")
    assert_problem(await send(client, {"t1": PIXELS}, clinical_use="never"), 422, "auto or always")


async def test_bad_models_are_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await send(client, {"t1": PIXELS}, "?model=view"), 422, "seg-flair-film, seg-t1")
    assert_problem(await send(client, {"t1": PIXELS}, "?model=seg-flair-film"), 422, "reads t1 or flair")


async def test_another_content_type_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post(PATH, json={"t1": [[[0]]]})
    assert_problem(response, 415, MEDIA_TYPE)


async def test_models_are_listed_in_order_of_preference(client: httpx.AsyncClient) -> None:
    served = ServedModels.model_validate((await client.get("/v1/models")).json())
    assert [model.ref.name for model in served.models] == ["seg-flair-film", "seg-t1", "unet3d"]
    assert [model.reads for model in served.models] == ["slices", "slices", "volumes"]
    assert served.models[0].sequences == ("t1", "flair", "t1ce")
    assert (await client.get("/health/ready")).json()["checks"] == {
        "seg-flair-film": True,
        "seg-t1": True,
        "unet3d": True,
    }


async def test_a_stack_over_the_limit_of_the_settings_is_refused(settings: SegmenterSettings) -> None:
    async with running_app(create_app(settings.model_copy(update={"max_slices": 1}))) as client:
        assert_problem(await send(client, {"t1": PIXELS}), 422, "2 slices were sent, at most 1")


def test_a_preferred_model_that_is_not_published_fails_at_the_start(settings: SegmenterSettings) -> None:
    with pytest.raises(ModelInvalid, match="no segmentation model called seg-9"):
        create_app(settings.model_copy(update={"models": ("seg-9",)}))


async def test_openapi_tells_of_body_answer_and_problems(client: httpx.AsyncClient) -> None:
    operation = (await client.get("/openapi.json")).json()["paths"][PATH]["post"]
    assert MEDIA_TYPE in operation["requestBody"]["content"]
    assert operation["responses"]["200"]["content"][MEDIA_TYPE]["x-result-example"]["labels"] == {"tumor": 2210}
    assert {"413", "415", "422", "503", "504"} <= operation["responses"].keys()
