"""`POST /v1/analyses/{id}/review` on a real Redis."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from gateway.app import create_app
from gateway.blobs.files import FileBlobStore
from gateway.job_settings import JobSettings
from gateway.jobs.store import RedisStore
from gateway.settings import GatewaySettings
from service_kit.testing import running_app
from tests.unit.gateway_jobs.jobs import jobs_on, some_findings

NO_ID = "019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10"
ODD = "<script>alert(1)</script> & \u062a\u0648\u0645\u0648\u0631"


@pytest.fixture
async def client(redis: Redis, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = GatewaySettings(jobs=JobSettings(blob_dir=tmp_path))
    async with running_app(create_app(settings, redis=redis)) as client:
        yield client


@pytest.fixture
async def here(redis: Redis, tmp_path: Path) -> str:
    """The path of a finished analysis."""
    findings = await some_findings()
    await RedisStore(redis, FileBlobStore(tmp_path), ttl_s=3600).save(findings)
    return f"/v1/analyses/{findings.analysis.id}"


def problem(answer: httpx.Response, status: int, code: str) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return str(answer.json()["detail"])


async def test_a_review_is_answered_with_the_analysis_and_read_back(client: httpx.AsyncClient, here: str) -> None:
    first = await client.post(f"{here}/review", json={"decision": "agree", "comment": "  ", "reviewer": ""})
    assert first.status_code == 200
    told = {"decision": "corrected", "label": "no_tumor", "comment": f" {ODD}\r\nline 2 ", "reviewer": "Reader 2"}
    second = await client.post(f"{here}/review", json=told)
    assert second.status_code == 200
    analysis = (await client.get(here)).json()
    assert second.json() == analysis == (await client.get("/v1/analyses")).json()["analyses"][0]
    plain, corrected = analysis["reviews"]
    assert plain.pop("created_at") <= corrected.pop("created_at")
    assert plain == {"decision": "agree", "label": None, "comment": None, "reviewer": None}
    assert corrected == told | {"comment": f"{ODD}\nline 2"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "decision: Field required"),
        ({"decision": "maybe"}, "decision: Input should be 'agree', 'disagree' or 'corrected'"),
        ({"decision": "corrected"}, "label: say which one is right"),
        ({"decision": "agree", "label": "glioma"}, "label: goes with the decision corrected, not with agree"),
        ({"decision": "disagree", "label": "glioma"}, "not with disagree"),
        ({"decision": "corrected", "label": "lymphoma"}, "label: Input should be"),
        ({"decision": "agree", "comment": "x" * 2001}, "comment: String should have at most 2000 characters"),
        ({"decision": "agree", "reviewer": "x" * 101}, "reviewer: String should have at most 100 characters"),
        ({"decision": "agree", "comment": 5}, "comment: Input should be a valid string"),
        ({"decision": "agree", "comment": "a\u0000b"}, "comment: control characters"),
        ({"decision": "agree", "comment": "a\u001b[2Jb"}, "comment: control characters"),
        ({"decision": "agree", "reviewer": "a\nb"}, "reviewer: a name has one line"),
        ({"decision": "agree", "comment": "\ud800"}, "comment: Input should be a valid string"),
        ({"decision": "agree", "rating": 5}, "'rating' is not known; there are decision, label, comment, reviewer"),
    ],
)
async def test_a_wrong_review_is_refused_and_says_what_to_fix(
    client: httpx.AsyncClient, here: str, body: dict[str, Any], words: str
) -> None:
    answer = await client.post(f"{here}/review", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert words in problem(answer, 422, "invalid_review")
    assert (await client.get(here)).json()["reviews"] == []


async def test_a_body_of_another_kind_is_refused(client: httpx.AsyncClient, here: str) -> None:
    url, as_json = f"{here}/review", {"Content-Type": "application/json"}
    assert "JSON" in problem(await client.post(url, content=b"agree", headers=as_json), 422, "invalid_review")
    assert "'{'" in problem(await client.post(url, json=["agree"]), 422, "invalid_review")
    twice = b'{"decision": "agree", "decision": "disagree"}'
    assert "twice" in problem(await client.post(url, content=twice, headers=as_json), 422, "invalid_review")
    problem(await client.post(url, data={"decision": "agree"}), 415, "unsupported_media_type")
    problem(await client.post(url, json={"decision": "agree", "comment": "x" * 40_000}), 413, "payload_too_large")


async def test_what_cannot_be_reviewed_is_told(client: httpx.AsyncClient, redis: Redis) -> None:
    problem(await client.post(f"/v1/analyses/{NO_ID}/review", json={"decision": "agree"}), 404, "not_found")
    waiting = await jobs_on(redis).accept()
    url = f"/v1/analyses/{waiting}/review"
    problem(await client.post(url, json={"decision": "agree"}), 409, "analysis_not_finished")
    await client.post(f"/v1/analyses/{waiting}/cancel")
    problem(await client.post(url, json={"decision": "agree"}), 409, "not_reviewable")


async def test_the_reports_show_it_at_once(client: httpx.AsyncClient, here: str) -> None:
    plain = {name: (await client.get(f"{here}/{name}")).content for name in ("report.html", "report.pdf")}
    assert b"Reader" not in plain["report.html"]
    await client.post(f"{here}/review", json={"decision": "disagree", "comment": ODD})
    page = (await client.get(f"{here}/report.html")).text
    assert "Disagrees with the answer." in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; \u062a\u0648\u0645\u0648\u0631" in page
    assert "<script" not in page
    assert (await client.get(f"{here}/report.pdf")).content != plain["report.pdf"]
    evidence = (await client.get(f"{here}/evidence.json")).json()
    assert evidence["analysis"]["reviews"][0]["comment"] == ODD
    await client.post(f"{here}/review", json={"decision": "agree"})
    assert "Agrees with the answer." in (await client.get(f"{here}/report.html")).text


async def test_openapi_shows_an_example(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/analyses/{analysis_id}/review"]["post"]
    assert operation["requestBody"]["content"]["application/json"]["example"]["decision"] == "corrected"
    assert {"200", "401", "404", "409", "413", "415", "422", "503"} <= operation["responses"].keys()
    assert "reviews" in document["components"]["schemas"]["Analysis"]["properties"]
