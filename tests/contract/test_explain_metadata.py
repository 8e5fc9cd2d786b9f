"""`options.explain_metadata` through all services, on tiny models and on the published ones."""

import json
from typing import Any

import httpx
import pytest

from tests.contract.conftest import Services
from tests.contract.test_degraded import running_gateway
from tests.unit.gateway_imaging import pictures

PNG = pictures.save(pictures.gray8(120, 96), "PNG")
RECORD = {"age": 61, "sex": "female"}


async def send(
    client: httpx.AsyncClient,
    record: dict[str, Any] | None = None,
    *,
    part: str = "flair",
    path: str = "/v1/analyses",
    **options: Any,
) -> httpx.Response:
    fields = {"options": json.dumps({"explain_metadata": True, **options})}
    if record is not None:
        fields["clinical"] = json.dumps(record)
    return await client.post(path, files={part: ("slice.png", PNG, "image/png")}, data=fields)


def refused(answer: httpx.Response) -> str:
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_options"
    detail: str = answer.json()["detail"]
    return detail


async def test_the_effect_of_the_record_is_answered_field_by_field(services: Services) -> None:
    async with running_gateway(services) as client:
        answer = await send(client, RECORD)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        effect = body["metadata_effect"]
        assert {field["field"] for field in effect["fields"]} == {"age", "sex"}
        for part in (effect["dice_with_without"], *(field["dice"] for field in effect["fields"])):
            assert 0 <= part <= 1
        assert effect["area_change_mm2"] is None
        assert effect["ml_change"] is None
        assert "The record as a whole" in effect["summary"] or "With the record" in effect["summary"]
        assert body["segmentation"]["clinical_used"]
        assert body["timings_ms"]["explanation"] > 0
        assert body["problem"] is None
        stored = await client.get(body["links"]["self"])
        assert stored.json()["metadata_effect"] == effect
        page = await client.get(f"{body['links']['self']}/report.html")
        assert effect["summary"].split(":")[0] in page.text


async def test_a_tiny_models_shift_is_found_exactly(tiny_services: Services) -> None:
    async with running_gateway(tiny_services) as client:
        body = (await send(client, {"age": 80})).json()
        without = (
            await client.post(
                "/v1/segmentations",
                files={"flair": ("slice.png", PNG, "image/png")},
                data={"clinical": "{}"},
            )
        ).json()
        effect = body["metadata_effect"]
        change = body["segmentation"]["area_px"] - without["segmentation"]["area_px"]
        assert change > 0
        assert effect["area_change_px"] == change
        assert [field["area_change_px"] for field in effect["fields"]] == [change]
        assert effect["fields"][0]["dice"] == effect["dice_with_without"] < 1
        alone = (await send(client, {"age": 80}, path="/v1/segmentations")).json()
        assert alone["metadata_effect"] == effect


async def test_nothing_is_explained_unasked(tiny_services: Services) -> None:
    async with running_gateway(tiny_services) as client:
        body = (await send(client, RECORD, explain_metadata=False)).json()
        assert body["metadata_effect"] is None
        assert body["timings_ms"]["explanation"] is None


@pytest.mark.parametrize("path", ["/v1/analyses", "/v1/segmentations"])
async def test_what_cannot_be_explained_is_refused_with_what_to_send(tiny_services: Services, path: str) -> None:
    async with running_gateway(tiny_services) as client:
        assert "add the form field `clinical`" in refused(await send(client, path=path))
        assert "needs an outline" in refused(await send(client, RECORD, path=path, segment="never"))
        detail = refused(await send(client, RECORD, path=path, part="t1ce"))
        assert "made by seg-t1, which reads no clinical record" in detail
        assert "seg-flair-film (reads t1, flair, t1ce)" in detail
        assert "send at least one of age, sex, who_grade" in refused(await send(client, {}, path=path))


async def test_without_the_metadata_service_the_rest_is_answered(tiny_services: Services) -> None:
    async with running_gateway(tiny_services, "http://metadata") as client:
        answer = await send(client, RECORD)
        assert answer.status_code == 201
        body = answer.json()
        assert (body["metadata_effect"], body["clinical"], body["verdict"]) == (None, None, "review")
        assert body["problem"]["stage"] == "clinical"
        assert body["segmentation"] is not None


async def test_a_leaking_record_is_refused_as_ever(tiny_services: Services) -> None:
    async with running_gateway(tiny_services) as client:
        answer = await send(client, {"laterality": "left"})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_clinical_record")
