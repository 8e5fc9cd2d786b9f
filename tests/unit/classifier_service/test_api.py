import json
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from classifier_service.app import create_app
from classifier_service.settings import ClassifierSettings
from service_kit.contracts.classification import TumorResult, ViewResult
from service_kit.contracts.models import ServedModels
from service_kit.errors import ModelInvalid
from service_kit.tensors import MEDIA_TYPE, decode, encode, parse_result
from service_kit.testing import running_app

VIEW, TUMOR = "/v1/view-classifications", "/v1/tumor-classifications"
FEATURES = np.full(128, 0.1, np.float32)


async def send(client: httpx.AsyncClient, path: str, **arrays: NDArray[Any]) -> httpx.Response:
    return await client.post(path, content=encode(arrays), headers={"content-type": MEDIA_TYPE})


def assert_problem(response: httpx.Response, status: int, *words: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert all(word in response.json()["detail"] for word in words), response.json()["detail"]


async def test_view_then_tumor(client: httpx.AsyncClient, picture: NDArray[np.uint8]) -> None:
    first = decode((await send(client, VIEW, image=picture)).content)
    view = parse_result(first, ViewResult)
    assert first.arrays["features"].shape == (128,)
    assert sum(view.view.probabilities.values()) == pytest.approx(1)
    response = await send(client, f"{TUMOR}?heatmap=true", image=picture, view_features=first.arrays["features"])
    assert response.headers["content-type"] == MEDIA_TYPE
    second = decode(response.content)
    tumor = parse_result(second, TumorResult)
    assert tumor.model.provider == "CPUExecutionProvider"
    assert second.arrays["heatmap"].shape == (4, 4)
    assert 0 <= second.arrays["heatmap"].min() <= second.arrays["heatmap"].max() <= 1


async def test_a_picture_of_16_bits_as_float_is_seen_like_one_of_8(
    client: httpx.AsyncClient, picture: NDArray[np.uint8]
) -> None:
    eight = await send(client, VIEW, image=picture)
    sixteen = await send(client, VIEW, image=picture.astype(np.float32) * 16 + 100)
    probabilities = [parse_result(decode(r.content), ViewResult).view.probabilities for r in (eight, sixteen)]
    assert probabilities[0] == pytest.approx(probabilities[1], abs=0.02)


async def test_another_model_is_chosen_by_name(client: httpx.AsyncClient, picture: NDArray[np.uint8]) -> None:
    response = await send(client, f"{TUMOR}?model=tumor-b&heatmap=true", image=picture, view_features=FEATURES)
    envelope = decode(response.content)
    assert parse_result(envelope, TumorResult).model.name == "tumor-b"
    assert envelope.arrays["heatmap"].shape == (8, 8)


async def test_a_model_that_reads_the_picture_alone_is_sent_nothing_else(
    client: httpx.AsyncClient, picture: NDArray[np.uint8]
) -> None:
    for arrays in ({"image": picture}, {"image": picture, "view_features": FEATURES}):
        envelope = decode((await send(client, f"{TUMOR}?model=detector-cnn&heatmap=true", **arrays)).content)
        tumor = parse_result(envelope, TumorResult).tumor
        assert tumor.probabilities.keys() == {"no_tumor", "tumor"}
        assert "no heat map" in tumor.warnings[0]
        assert not envelope.arrays
    plain = decode((await send(client, f"{VIEW}?model=view-plain", image=picture)).content)
    assert not plain.arrays


async def test_features_of_another_view_model_are_refused(
    client: httpx.AsyncClient, picture: NDArray[np.uint8]
) -> None:
    right = await send(client, f"{TUMOR}?model=tumor-b&features_of=view-b", image=picture, view_features=FEATURES)
    assert right.status_code == 200
    wrong = await send(client, f"{TUMOR}?model=tumor-b&features_of=view", image=picture, view_features=FEATURES)
    assert_problem(wrong, 422, "tumor-b reads the features of the view model view-b")


@pytest.mark.parametrize("name", ["nothing", "view", ""])
async def test_a_model_of_no_or_another_stage_is_refused(
    client: httpx.AsyncClient, picture: NDArray[np.uint8], name: str
) -> None:
    response = await send(client, f"{TUMOR}?model={name}", image=picture, view_features=FEATURES)
    assert_problem(response, 422, "tumor, detector-cnn, tumor-b")


@pytest.mark.parametrize(
    ("image", "word"),
    [
        (np.zeros((4, 4, 3), np.uint8), "[rows, columns]"),
        (np.zeros(16, np.uint8), "[rows, columns]"),
        (np.zeros((0, 8), np.uint8), "empty"),
        (np.zeros((8, 8), np.float64), "float32"),
        (np.zeros((8, 8), np.uint16), "uint8"),
        (np.full((8, 8), np.nan, np.float32), "NaN"),
        (np.array([[1, np.inf]], np.float32), "infinity"),
        (np.array([[1, -1e30]], np.float32), "beyond"),
        (np.zeros((1, 20_000), np.uint8), "too large"),
    ],
)
async def test_bad_pixels_are_refused(client: httpx.AsyncClient, image: NDArray[Any], word: str) -> None:
    assert_problem(await send(client, VIEW, image=image), 422, "image", word)
    assert_problem(await send(client, TUMOR, image=image, view_features=FEATURES), 422, "image", word)


async def test_missing_and_further_arrays_are_refused(client: httpx.AsyncClient, picture: NDArray[np.uint8]) -> None:
    assert_problem(await send(client, VIEW, images=picture), 422, "image")
    assert_problem(await send(client, TUMOR, image=picture), 422, "view_features is missing")
    assert_problem(await send(client, VIEW), 422, "image is missing")


@pytest.mark.parametrize(
    "features",
    [np.zeros(127, np.float32), np.zeros((1, 128), np.float32), np.zeros(128), np.full(128, np.nan, np.float32)],
)
async def test_bad_features_are_refused(
    client: httpx.AsyncClient, picture: NDArray[np.uint8], features: NDArray[Any]
) -> None:
    assert_problem(await send(client, TUMOR, image=picture, view_features=features), 422, "view_features")


@pytest.mark.parametrize("content", [b"", b"{}", b"\x10" * 200, json.dumps({"image": [[1]]}).encode()])
async def test_a_body_of_another_format_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    response = await client.post(VIEW, content=content, headers={"content-type": MEDIA_TYPE})
    assert_problem(response, 422, "body")


async def test_a_body_cut_short_is_refused(client: httpx.AsyncClient, picture: NDArray[np.uint8]) -> None:
    content = encode({"image": picture})
    for end in (4, 40, len(content) - 1):
        response = await client.post(VIEW, content=content[:end], headers={"content-type": MEDIA_TYPE})
        assert_problem(response, 422)


async def test_another_content_type_is_refused(client: httpx.AsyncClient, picture: NDArray[np.uint8]) -> None:
    response = await client.post(VIEW, content=encode({"image": picture}), headers={"content-type": "image/png"})
    assert_problem(response, 415, MEDIA_TYPE)


async def test_a_task_that_is_not_served_says_what_to_set(
    settings: ClassifierSettings, picture: NDArray[np.uint8]
) -> None:
    view_alone = settings.model_copy(update={"tasks": ("view",)})
    async with running_app(create_app(view_alone)) as client:
        assert (await send(client, VIEW, image=picture)).status_code == 200
        response = await send(client, TUMOR, image=picture, view_features=FEATURES)
        assert_problem(response, 404, "add tumor to CLASSIFIER_TASKS")
        assert response.json()["code"] == "task_not_served"
        served = ServedModels.model_validate((await client.get("/v1/models")).json())
        assert [model.ref.name for model in served.models] == ["view", "view-plain"]


async def test_every_model_is_listed_and_readiness_is_of_the_defaults(client: httpx.AsyncClient) -> None:
    served = {
        model.ref.name: model for model in ServedModels.model_validate((await client.get("/v1/models")).json()).models
    }
    assert list(served) == ["view", "view-plain", "tumor", "detector-cnn", "tumor-b"]
    assert {name for name, model in served.items() if model.default} == {"view", "tumor"}
    assert served["tumor"].labels == ("glioma", "meningioma", "no_tumor", "pituitary")
    assert [model.features_of for model in served.values()] == [None, None, "view", None, "view-b"]
    ready = await client.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["checks"] == {"view": True, "tumor": True}


def test_a_default_model_that_is_not_published_fails_at_the_start(settings: ClassifierSettings) -> None:
    with pytest.raises(ModelInvalid, match="no view model called view-9; published: view, view-plain"):
        create_app(settings.model_copy(update={"view_model": "view-9"}))


def test_settings_are_frozen(settings: ClassifierSettings) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


async def test_openapi_tells_of_bodies_answers_and_problems(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for path in (VIEW, TUMOR):
        operation = document["paths"][path]["post"]
        assert MEDIA_TYPE in operation["requestBody"]["content"]
        answer = operation["responses"]["200"]["content"][MEDIA_TYPE]
        assert answer["x-result-example"]["model"]["version"] == "1"
        assert {"404", "413", "415", "422", "503", "504"} <= operation["responses"].keys()
