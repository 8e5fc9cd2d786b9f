from pathlib import Path
from typing import Any

import httpx
import pytest

from metadata_service.app import create_app
from metadata_service.settings import MetadataSettings
from service_kit.contracts.clinical import ClinicalAblation, ClinicalVector
from service_kit.contracts.models import ServedModels
from service_kit.errors import ModelInvalid
from service_kit.inference.factory import InferenceSettings
from service_kit.testing import FakeBackend, running_app, tiny_model

PATH = "/v1/clinical-vectors"
JSON = {"content-type": "application/json"}


def assert_problem(response: httpx.Response, status: int, code: str, *words: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert all(word in response.json()["detail"] for word in words), response.json()["detail"]


async def test_a_record_becomes_a_vector(client: httpx.AsyncClient) -> None:
    response = await client.post(PATH, json={"age": 50, "sex": "female"})
    assert response.status_code == 200
    found = ClinicalVector.model_validate(response.json())
    assert found.features["age"] == 50
    assert found.imputed == ("who_grade", "histological_type", "race", "ethnicity")


async def test_an_empty_record_is_legal(client: httpx.AsyncClient) -> None:
    response = await client.post(PATH, json={})
    assert response.status_code == 200
    assert len(response.json()["imputed"]) == 6


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/fhir+json"])
async def test_kinds_of_json_are_accepted(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post(PATH, content=b'{"age": 50}', headers={"content-type": content_type})
    assert response.status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "image/jpeg+json", ""])
async def test_other_content_types_are_refused(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post(PATH, content=b"{}", headers={"content-type": content_type})
    assert_problem(response, 415, "unsupported_media_type", "application/json")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "not JSON"),
        (b"age=50", "not JSON"),
        (b'{"age": 50', "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"[]", "one JSON object"),
        (b"null", "one JSON object"),
        (b'{"age": NaN}', "NaN"),
        (b'{"age": Infinity}', "Infinity"),
        (b'{"age": -Infinity}', "Infinity"),
        (b'{"age": 1e999}', "between 0 and 130"),
        (b'{"age": -3}', "between 0 and 130"),
        (b'{"race": "\\ud800"}', "printable"),
        (b'{"age": 50, "age": 60}', "stands twice"),
        (b'{"age": 50, "patientAge": 60}', "given twice"),
        (b'{"birthDate": "2021-01-01", "studyDate": "2020-01-01"}', "between the birth"),
    ],
)
async def test_bad_bodies_are_refused(client: httpx.AsyncClient, body: bytes, word: str) -> None:
    assert_problem(await client.post(PATH, content=body, headers=JSON), 422, "invalid_request", word)


async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    body = b'{"race": "' + b"x" * 70_000 + b'"}'
    assert_problem(await client.post(PATH, content=body, headers=JSON), 413, "payload_too_large")


async def test_leaking_and_unknown_fields_are_refused(client: httpx.AsyncClient) -> None:
    response = await client.post(PATH, json={"age": 50, "tumorLocation": "frontal"})
    assert_problem(response, 422, "leaking_field", "tumorLocation", "outline")
    response = await client.post(PATH, content=b'{"\\ud800": 1}', headers=JSON)
    assert_problem(response, 422, "unknown_field", "a field is not known")
    response = await client.post(PATH, json={"agge": 50})
    assert_problem(response, 422, "unknown_field", "did you mean age?")


async def test_the_schema_says_what_is_accepted_and_what_is_not(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/v1/clinical-schema")).json()
    fields: dict[str, Any] = {field["name"]: field for field in schema["fields"]}
    assert fields["age"]["unit"] == "years"
    assert (fields["age"]["trained_minimum"], fields["age"]["trained_maximum"]) == (20.0, 75.0)
    assert "gender" in fields["sex"]["aliases"]
    assert fields["sex"]["categories"] == ["female", "male"]
    assert fields["birth_date"] | {"aliases": []} == {
        "name": "birth_date",
        "aliases": [],
        "kind": "date",
        "unit": None,
        "categories": [],
        "accepted": [],
        "trained_minimum": None,
        "trained_maximum": None,
        "read_by_model": False,
    }
    assert any("laterality" in group["names"] and "outline" in group["reason"] for group in schema["refused"])
    assert schema["model"]["name"] == "clinical"


async def test_every_name_that_the_schema_lists_does_what_it_says(client: httpx.AsyncClient) -> None:
    values = {"age": 50, "who_grade": 2, "birth_date": "1976-05-17", "study_date": "2020-11-02"}
    schema = (await client.get("/v1/clinical-schema")).json()
    for field in schema["fields"]:
        words = field["accepted"] or [values[field["name"]]]
        for name in (field["name"], *field["aliases"]):
            for word in words:
                assert (await client.post(PATH, json={name: word})).status_code == 200, (name, word)
    for group in schema["refused"]:
        for name in group["names"]:
            assert_problem(await client.post(PATH, json={name: 1}), 422, "leaking_field", group["reason"])


async def test_models_and_readiness(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    served = ServedModels.model_validate((await client.get("/v1/models")).json())
    assert [model.ref.name for model in served.models] == ["clinical"]
    assert (await client.get("/health/ready")).status_code == 200
    backend.is_ready = False
    response = await client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["checks"] == {"clinical": False}


async def test_a_real_model_file_is_served(tmp_path: Path) -> None:
    tiny_model(tmp_path, "clinical")
    settings = MetadataSettings(inference=InferenceSettings(models_dir=tmp_path))
    async with running_app(create_app(settings)) as client:
        found = ClinicalVector.model_validate((await client.post(PATH, json={"age": 65})).json())
    assert found.features == pytest.approx({"age": 0.75, "sex": 1.0, "who_grade": 0.0})
    assert found.imputed == ("sex", "who_grade")


def test_a_model_that_is_not_published_fails_at_the_start(tmp_path: Path) -> None:
    tiny_model(tmp_path, "clinical")
    settings = MetadataSettings(model="other", inference=InferenceSettings(models_dir=tmp_path))
    with pytest.raises(ModelInvalid, match="no model called other"):
        create_app(settings)


async def test_openapi_tells_of_record_answer_and_problems(client: httpx.AsyncClient) -> None:
    operation = (await client.get("/openapi.json")).json()["paths"][PATH]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    assert body["schema"]["properties"].keys() >= {"age", "birth_date", "sex"}
    assert body["examples"]["fhir"]["value"]["birthDate"] == "1976-05-17"
    assert {"415", "422", "503"} <= operation["responses"].keys()
    assert "leaking_field" in operation["responses"]["422"]["content"]["application/problem+json"]["examples"]


async def test_a_records_fields_are_left_out(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/clinical-ablations", json={"age": 50, "sex": "male"})
    assert response.status_code == 200
    found = ClinicalAblation.model_validate(response.json())
    assert found.without.keys() == {"age", "sex"}
    assert found.vector.imputed == ("who_grade", "histological_type", "race", "ethnicity")


async def test_a_leaking_record_has_no_ablation(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/clinical-ablations", json={"laterality": "left"})
    assert_problem(response, 422, "leaking_field", "laterality")
    response = await client.post("/v1/clinical-ablations", content=b"{}", headers={"content-type": "text/plain"})
    assert_problem(response, 415, "unsupported_media_type")
