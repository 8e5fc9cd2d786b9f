"""A scan's whole life: created, read, listed, its files, erased."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from service_kit.inference.manifest import ModelManifest
from tests.unit.gateway_imaging import pictures

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
API_FIELDS = {
    "id", "state", "created_at", "progress", "input", "verdict", "reasons", "view", "tumor", "clinical", "segmentation",
    "metadata_effect", "key_slice", "models", "timings_ms", "links", "problem", "reviews", "disclaimer",
}  # fmt: skip
FILES = {
    "self", "input", "mask", "overlay", "heatmap", "report", "report_pdf", "evidence", "saliency", "thumbnail",
}  # fmt: skip
PNG = pictures.save(pictures.gray8(), "PNG")
MISSING = "019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10"


async def create(gateway: httpx.AsyncClient, content: bytes = PNG, **fields: Json) -> Json:
    answer = await gateway.post(
        "/v1/analyses",
        files={"file": ("slice.png", content, "image/png")},
        data={name: json.dumps(value) for name, value in fields.items()},
    )
    assert answer.status_code == 201, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: Json = answer.json()
    assert answer.headers["location"] == f"/v1/analyses/{body['id']}"
    return body


async def listed(gateway: httpx.AsyncClient) -> list[str]:
    answer = await gateway.get("/v1/analyses", params={"limit": 100})
    assert answer.status_code == 200
    return [analysis["id"] for analysis in answer.json()["analyses"]]


def problem(answer: httpx.Response) -> Json:
    assert answer.headers["content-type"] == "application/problem+json"
    body: Json = answer.json()
    assert body["status"] == answer.status_code
    assert {"type", "title", "detail", "code", "request_id"} <= body.keys()
    assert answer.headers["x-request-id"] == body["request_id"]
    return body


async def test_a_slice_is_answered_at_once_with_every_field_of_the_api(gateway: httpx.AsyncClient) -> None:
    analysis = await create(gateway, clinical={"age": 61, "sex": "female"}, options={"segment": "always"})
    assert analysis.keys() == API_FIELDS
    assert analysis["state"] == "succeeded"
    assert analysis["verdict"] in {"answer", "review", "refuse"}
    assert (analysis["verdict"] != "answer") == bool(analysis["reasons"])
    assert all(reason["code"] and reason["detail"] for reason in analysis["reasons"])
    assert analysis["input"]["kind"] == "slice"
    assert (analysis["input"]["format"], analysis["input"]["rows"], analysis["input"]["columns"]) == ("png", 96, 80)
    assert (analysis["input"]["slices"], analysis["input"]["spacing_mm"]) == (1, None)
    assert analysis["view"]["source"] == "model"
    assert sum(analysis["view"]["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert sum(analysis["tumor"]["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert set(analysis["tumor"]["probabilities"]) == {"glioma", "meningioma", "no_tumor", "pituitary"}
    present = 1 - analysis["tumor"]["probabilities"]["no_tumor"]
    assert analysis["tumor"]["present_probability"] == pytest.approx(present, abs=1e-4)
    assert analysis["clinical"]["features"]
    assert "sex" not in analysis["clinical"]["imputed"]
    assert analysis["segmentation"]["area_px"] == sum(analysis["segmentation"]["labels"].values())
    assert analysis["segmentation"]["area_mm2"] is None
    assert [model["stage"] for model in analysis["models"]] == ["view", "tumor", "clinical", "segmentation"]
    assert all(len(model["sha256"]) == 64 and model["provider"] for model in analysis["models"])
    timings_ms = analysis["timings_ms"]
    assert timings_ms.keys() == {"decode", "view", "tumor", "clinical", "segmentation", "explanation", "total"}
    assert timings_ms.pop("explanation") is None
    assert all(milliseconds >= 0 for milliseconds in timings_ms.values())
    assert analysis["metadata_effect"] is None
    assert analysis["key_slice"] is None
    assert analysis["problem"] is None
    assert "Research use only" in analysis["disclaimer"]


async def test_what_was_created_is_read_again_and_heads_the_list(gateway: httpx.AsyncClient) -> None:
    analysis = await create(gateway)
    answer = await gateway.get(analysis["links"]["self"])
    assert (answer.status_code, answer.json()) == (200, analysis)
    assert (await listed(gateway))[0] == analysis["id"]


async def test_pages_follow_each_other(gateway: httpx.AsyncClient) -> None:
    made = [(await create(gateway, options={"segment": "never"}))["id"] for _ in range(3)]
    first = (await gateway.get("/v1/analyses", params={"limit": 2})).json()
    assert [analysis["id"] for analysis in first["analyses"]] == made[:0:-1]
    second = (await gateway.get("/v1/analyses", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [analysis["id"] for analysis in second["analyses"]] == [made[0]]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"cursor": "abc"}, {"cursor": "%00"}, {"cursor": ""}]
)
async def test_a_bad_page_is_refused(gateway: httpx.AsyncClient, query: dict[str, str]) -> None:
    assert problem(await gateway.get("/v1/analyses", params=query))["status"] == 422


async def test_every_linked_file_is_what_it_says(gateway: httpx.AsyncClient) -> None:
    analysis = await create(gateway, options={"segment": "always"})
    links: dict[str, str] = analysis["links"]
    assert set(links) == FILES
    for name, link in links.items():
        answer = await gateway.get(link)
        assert answer.status_code == 200, link
        assert answer.headers["x-content-type-options"] == "nosniff"
        if name == "self":
            continue
        assert answer.headers["cache-control"] == "private, no-cache"
        again = await gateway.get(link, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await gateway.get(link)).content == answer.content
        if link.endswith(".png"):
            assert answer.headers["content-type"] == "image/png"
            Image.open(io.BytesIO(answer.content)).verify()
        if link.endswith(".pdf"):
            assert answer.headers["content-type"] == "application/pdf"
            assert answer.content.startswith(b"%PDF-")
    np.testing.assert_array_equal(await picture(gateway, links["input"]), pictures.gray8())
    mask = await picture(gateway, links["mask"])
    assert mask.shape == (96, 80)
    assert set(np.unique(mask)) <= {0, 255}
    assert np.count_nonzero(mask) == analysis["segmentation"]["area_px"]
    assert (await picture(gateway, links["saliency"])).shape == (96, 80)
    assert Image.open(io.BytesIO((await gateway.get(links["thumbnail"])).content)).size == (133, 160)


async def picture(gateway: httpx.AsyncClient, link: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    image = Image.open(io.BytesIO((await gateway.get(link)).content))
    assert image.mode == "L"
    return np.asarray(image, np.uint8)


async def test_the_report_runs_no_script_and_loads_nothing(gateway: httpx.AsyncClient) -> None:
    analysis = await create(gateway)
    answer = await gateway.get(f"/v1/analyses/{analysis['id']}/report.html")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert "Research use only" in answer.text
    assert "<script" not in answer.text
    assert "http://" not in answer.text.replace("http://www.w3.org", "")


async def test_files_that_there_are_not_say_why_and_name_those_that_there_are(gateway: httpx.AsyncClient) -> None:
    analysis = await create(gateway, options={"segment": "never", "heatmap": False})
    base = analysis["links"]["self"]
    assert set(analysis["links"]) == {"self", "input", "report", "report_pdf", "evidence", "thumbnail"}
    for name, words in (
        ("mask.png", "segment said never"),
        ("overlay.png", "segment said never"),
        ("heatmap.png", "heatmap true"),
        ("saliency.png", "heatmap true"),
        ("segmentation.dcm", "No such artifact"),
        ("mask.nii.gz", "a slice's mask is mask.png"),
        ("..%2f..%2fetc%2fpasswd", ""),
    ):
        answer = await gateway.get(f"{base}/{name}")
        assert answer.status_code == 404
        assert words in problem(answer)["detail"]
        if words:
            assert "input.png, report.html, evidence.json, report.pdf" in answer.json()["detail"]


async def test_an_erased_analysis_is_gone_with_its_files(gateway: httpx.AsyncClient) -> None:
    analysis = await create(gateway)
    links = analysis["links"]
    assert (await gateway.get(links["input"])).status_code == 200
    answer = await gateway.delete(links["self"])
    assert (answer.status_code, answer.content) == (204, b"")
    for link in links.values():
        assert problem(await gateway.get(link))["code"] == "not_found"
    assert problem(await gateway.delete(links["self"]))["code"] == "not_found"
    assert analysis["id"] not in await listed(gateway)


@pytest.mark.parametrize("analysis_id", [MISSING, "x", "a%2fb", "*"])
async def test_unknown_analyses_are_not_found(gateway: httpx.AsyncClient, analysis_id: str) -> None:
    base = f"/v1/analyses/{analysis_id}"
    for answer in (
        await gateway.get(base),
        await gateway.delete(base),
        await gateway.post(f"{base}/cancel"),
        await gateway.get(f"{base}/input.png"),
        await gateway.get(f"{base}/nothing.bin"),
    ):
        assert answer.status_code in {404, 405}
        problem(answer)


async def test_a_finished_analysis_cannot_be_canceled(gateway: httpx.AsyncClient) -> None:
    analysis = await create(gateway)
    answer = await gateway.post(f"{analysis['links']['self']}/cancel")
    assert answer.status_code == 409
    assert problem(answer)["code"] == "already_finished"
    assert "succeeded" in answer.json()["detail"]


async def test_prefer_respond_async_answers_later(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.post("/v1/analyses", files={"file": PNG}, headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    location = answer.headers["location"]
    events = (await gateway.get(f"{location}/events")).text
    assert '"state": "succeeded"' in events.strip().rpartition("\n\n")[2]
    analysis = (await gateway.get(location)).json()
    assert analysis["state"] == "succeeded"
    for link in analysis["links"].values():
        assert (await gateway.get(link)).is_success


async def test_the_same_key_and_body_give_the_first_answer_again(gateway: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": f"test-{(await create(gateway))['id']}"}
    first = await gateway.post("/v1/analyses", files={"file": ("a.png", PNG)}, headers=key)
    again = await gateway.post("/v1/analyses", files={"file": ("b.png", PNG)}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert (again.headers["idempotency-replayed"], first.headers.get("idempotency-replayed")) == ("true", None)
    other = await gateway.post(
        "/v1/analyses", files={"file": PNG}, data={"options": '{"segment": "never"}'}, headers=key
    )
    assert (other.status_code, problem(other)["code"]) == (422, "idempotency_key_reused")
    await gateway.delete(first.headers["location"])
    anew = await gateway.post("/v1/analyses", files={"file": PNG}, headers=key)
    assert (anew.status_code, anew.json()["id"] == first.json()["id"]) == (201, False)


async def test_a_key_is_free_again_after_a_refused_request(gateway: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": f"test-{(await create(gateway))['id']}"}
    refused = await gateway.post("/v1/analyses", files={"file": b"no picture"}, headers=key)
    assert refused.status_code == 415
    assert (await gateway.post("/v1/analyses", files={"file": PNG}, headers=key)).status_code == 201


async def test_a_dicom_slice_has_millimeters_and_its_own_view(gateway: httpx.AsyncClient) -> None:
    content = pictures.dicom(PixelSpacing=[0.5, 0.5], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    analysis = await create(gateway, content, options={"segment": "always"})
    assert (analysis["input"]["format"], analysis["input"]["spacing_mm"]) == ("dicom", [0.5, 0.5])
    assert (analysis["view"]["label"], analysis["view"]["source"]) == ("axial", "dicom")
    measures = analysis["segmentation"]
    assert measures["area_mm2"] == pytest.approx(measures["area_px"] * 0.25)
    assert measures["longest_diameter_mm"] is not None


async def test_sequences_come_as_parts_of_their_names(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.post(
        "/v1/analyses",
        files={"flair": PNG, "t1": PNG},
        data={"options": '{"segment": "always", "clinical": "always"}', "clinical": '{"age": 40}'},
    )
    assert answer.status_code == 201, answer.text
    analysis = answer.json()
    assert set(analysis["input"]["sequences"]) == {"t1", "flair"}
    assert analysis["models"][-1]["name"] == "seg-flair-film"
    assert analysis["segmentation"]["clinical_used"]
    assert (
        analysis["segmentation"]["substituted"] == {"t1ce": "t1"} or "t1ce" in analysis["segmentation"]["substituted"]
    )


async def test_a_record_that_does_not_help_is_left_out_and_the_answer_says_so(
    gateway: httpx.AsyncClient, models_dir: Path
) -> None:
    helps = ModelManifest.load(models_dir / "seg-flair-film").clinical_by_default
    fields = {"options": '{"segment": "always"}', "clinical": '{"age": 40}'}
    analysis = (await gateway.post("/v1/analyses", files={"flair": PNG}, data=fields)).json()
    outline = analysis["segmentation"]
    assert (outline["clinical_used"], outline["clinical_left_out"]) == (helps, not helps)
    assert any("`clinical: always`" in warning for warning in analysis["clinical"]["warnings"]) == (not helps)


async def test_many_clients_at_once_get_their_own_answers(gateway: httpx.AsyncClient) -> None:
    scans = [pictures.save(np.roll(pictures.gray8(), shift, axis=1), "PNG") for shift in range(8)]
    analyses = await asyncio.gather(*(create(gateway, scan, options={"segment": "always"}) for scan in scans))
    assert len({analysis["id"] for analysis in analyses}) == 8
    for scan, analysis in zip(scans, analyses, strict=True):
        kept = await picture(gateway, analysis["links"]["input"])
        np.testing.assert_array_equal(kept, np.asarray(Image.open(io.BytesIO(scan))))
