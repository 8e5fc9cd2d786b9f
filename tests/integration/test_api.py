"""The rest of the API: single stages, models, pages, the OpenAPI document, probes."""

import base64
import io
import os
import re
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.integration.test_analyses import PNG, listed, problem
from tests.unit.gateway_imaging import pictures

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCAN = {"file": ("slice.png", PNG, "image/png")}
STAGES = ("view-classifications", "tumor-classifications", "segmentations")


async def test_the_view_alone(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.post("/v1/view-classifications", files=SCAN)
    assert answer.status_code == 200
    assert answer.json()["model"]["stage"] == "view"
    assert answer.json()["view"]["label"] in {"axial", "coronal", "sagittal"}


async def test_the_tumor_alone(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.post("/v1/tumor-classifications", files=SCAN)
    assert answer.status_code == 200
    assert answer.json()["model"]["stage"] == "tumor"
    assert set(answer.json()["tumor"]["prediction_set"]) <= {"glioma", "meningioma", "no_tumor", "pituitary"}


async def test_the_outline_alone_as_json_or_as_a_picture(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.post("/v1/segmentations", files=SCAN)
    assert answer.status_code == 200
    body = answer.json()
    mask = np.asarray(Image.open(io.BytesIO(base64.b64decode(body["mask_png"]))))
    assert mask.shape == (96, 80)
    assert np.count_nonzero(mask) == body["segmentation"]["area_px"]
    alone = await gateway.post("/v1/segmentations", files=SCAN, headers={"Accept": "image/png"})
    assert alone.headers["content-type"] == "image/png"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(alone.content))), mask)


async def test_the_clinical_vector_alone(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.post("/v1/clinical-vectors", json={"age": 61, "sex": "female"})
    assert answer.status_code == 200
    assert {"features", "imputed", "warnings", "model"} <= answer.json().keys()
    assert (await gateway.post("/v1/clinical-vectors", json={})).status_code == 200


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b'{"age": NaN}', "application/json", 422, "invalid_clinical_record"),
        (b'{"laterality": "left"}', "application/json", 422, "invalid_clinical_record"),
        (b"[]", "application/json", 422, "invalid_clinical_record"),
        (b"", "application/json", 422, "invalid_clinical_record"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "application/json", 413, "payload_too_large"),
    ],
)
async def test_a_bad_record_is_refused(
    gateway: httpx.AsyncClient, content: bytes, kind: str, status: int, code: str
) -> None:
    answer = await gateway.post("/v1/clinical-vectors", content=content, headers={"content-type": kind})
    assert (answer.status_code, problem(answer)["code"]) == (status, code)


async def test_a_refused_record_says_which_field_and_why(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.post("/v1/clinical-vectors", json={"age": 300})
    assert answer.status_code == 422
    assert answer.json()["stage"] == "clinical"
    assert "age" in str(answer.json().get("errors", "")) + answer.json()["detail"]


@pytest.mark.parametrize("stage", STAGES)
async def test_a_stage_refuses_what_an_analysis_refuses_and_stores_nothing(
    gateway: httpx.AsyncClient, stage: str
) -> None:
    before = await listed(gateway)
    empty = await gateway.post(f"/v1/{stage}", files={"file": ("a.png", b"", "image/png")})
    assert (empty.status_code, problem(empty)["code"]) == (422, "empty_file")
    text = await gateway.post(f"/v1/{stage}", files={"file": ("a.png", b"no picture at all", "image/png")})
    assert (text.status_code, problem(text)["code"]) == (415, "unsupported_format")
    assert (await gateway.post(f"/v1/{stage}", files=SCAN)).status_code == 200
    assert await listed(gateway) == before


async def test_models_are_listed_with_the_provider_in_use(gateway: httpx.AsyncClient) -> None:
    listing = (await gateway.get("/v1/models")).json()
    assert listing["unavailable"] == []
    models: dict[str, dict[str, Any]] = {model["name"]: model for model in listing["models"]}
    assert models.keys() >= {"view", "tumor", "seg-t1", "seg-flair-film", "clinical"}
    for model in models.values():
        assert re.fullmatch(r"[0-9a-f]{64}", model["sha256"])
        assert model["provider"]
        assert model["requested_provider"]
        assert model["inputs"]
        assert model["outputs"]
    assert models["tumor"]["labels"] == ["glioma", "meningioma", "no_tumor", "pituitary"]


async def test_a_model_has_its_card(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.get("/v1/models/tumor")
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["stage"]) == ("tumor", "tumor")
    assert answer.json()["card"]["name"] == "tumor"
    unknown = await gateway.get("/v1/models/vgg16")
    assert (unknown.status_code, problem(unknown)["code"]) == (404, "not_found")
    assert "seg-t1" in unknown.json()["detail"]


async def test_the_pages_load_nothing_from_elsewhere(gateway: httpx.AsyncClient) -> None:
    page = await gateway.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    sources = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert len(sources) == 2
    for source in sources:
        assert (await gateway.get(source)).status_code == 200, source
    assert "'self'" in page.headers["content-security-policy"]


async def test_openapi_has_examples_problems_and_the_ways_to_send_a_key(gateway: httpx.AsyncClient) -> None:
    document = (await gateway.get("/openapi.json")).json()
    paths = document["paths"]
    for path in (
        "/v1/analyses",
        "/v1/analyses/{analysis_id}",
        "/v1/analyses/{analysis_id}/cancel",
        "/v1/analyses/{analysis_id}/{artifact}",
        *(f"/v1/{stage}" for stage in STAGES),
        "/v1/clinical-vectors",
        "/v1/models",
        "/v1/models/{name}",
        "/health/live",
        "/health/ready",
        "/metrics",
    ):
        assert path in paths, path
    create = paths["/v1/analyses"]["post"]
    form = create["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert {"file", "t1", "t1ce", "t2", "flair", "clinical", "options"} == form["properties"].keys()
    assert {"201", "401", "413", "415", "422", "502", "503", "504"} <= create["responses"].keys()
    assert create["security"]
    assert document["components"]["schemas"]["Analysis"]["examples"][0]["tumor"]["label"] == "glioma"
    assert {"bearer", "api_key"} <= document["components"]["securitySchemes"].keys()
    assert_refers_to_what_there_is(document)


def assert_refers_to_what_there_is(document: dict[str, Any]) -> None:
    text = str(document)
    names = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert names <= document["components"]["schemas"].keys()
    assert not re.search(r"'\$ref': '#/\$defs/", text)


async def test_probes_metrics_and_headers(gateway: httpx.AsyncClient) -> None:
    assert (await gateway.get("/health/live")).status_code == 200
    ready = await gateway.get("/health/ready")
    assert ready.status_code == 200
    assert set(ready.json()["checks"]) == {"redis", "view", "tumor", "segmentation", "clinical", "blobs"}
    assert "neurogate_request_seconds" in (await gateway.get("/metrics")).text
    answer = await gateway.get("/v1/models", headers={"X-Request-ID": "my-request.1", "Origin": "http://elsewhere"})
    assert answer.headers["x-request-id"] == "my-request.1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers


async def test_a_deployed_gateway_wants_its_key(deployed_url: str | None) -> None:
    if deployed_url is None or "GATEWAY_API_KEY" not in os.environ:
        pytest.skip("the gateway of this process listens nowhere and needs no key")
    async with httpx.AsyncClient(base_url=deployed_url, trust_env=False) as stranger:
        answer = await stranger.post("/v1/analyses", files=SCAN)
        assert (answer.status_code, problem(answer)["code"]) == (401, "unauthorized")
        assert (await stranger.get("/health/live")).status_code == 200


async def test_sixteen_bit_pictures_are_taken(gateway: httpx.AsyncClient) -> None:
    content = pictures.save(pictures.gray16(), "PNG")
    answer = await gateway.post("/v1/analyses", files={"file": content})
    assert answer.status_code == 201, answer.text
    shown = Image.open(io.BytesIO((await gateway.get(answer.json()["links"]["input"])).content))
    assert (shown.mode, shown.size) == ("L", (80, 96))
