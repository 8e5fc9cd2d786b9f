"""Analyses that are answered later: API, queue, worker and tiny services in this process, on a real Redis."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

import gateway.app
from gateway.job_settings import JobSettings, WebhookSettings
from gateway.jobs import keys
from gateway.settings import GatewaySettings
from service_kit.testing import running_app
from tests.contract.conftest import Services
from tests.unit.gateway_imaging import pictures

Json = dict[str, Any]
PNG = pictures.save(pictures.gray8(), "PNG")
LATER = {"Prefer": "respond-async"}
NAME = "Doe^Jane 1961.png"


def settings(folder: Path, **jobs: Any) -> GatewaySettings:
    return GatewaySettings(
        view_url="http://classifier",
        tumor_url="http://classifier",
        segmenter_url="http://segmenter",
        metadata_url="http://metadata",
        jobs=JobSettings(blob_dir=folder / "blobs", poll_s=0.02, retry_s=0.1, **jobs),
        webhooks=WebhookSettings(hosts=("ris.example",), secrets=("s" * 24,)),
    )


@contextlib.asynccontextmanager
async def serving(
    services: Services, redis: Redis, folder: Path, *down: str, **jobs: Any
) -> AsyncIterator[httpx.AsyncClient]:
    app_settings = settings(folder, **jobs)
    async with (
        services.client(down=down) as http,
        running_app(gateway.app.create_app(app_settings, http=http, redis=redis)) as client,
    ):
        yield client


@pytest.fixture
async def client(tiny_services: Services, redis: Redis, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway that runs a worker."""
    async with serving(tiny_services, redis, tmp_path, in_gateway=True) as client:
        yield client


@pytest.fixture
async def idle(tiny_services: Services, redis: Redis, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway without a worker: whatever it takes stays queued."""
    async with serving(tiny_services, redis, tmp_path) as client:
        yield client


async def send(
    client: httpx.AsyncClient, content: bytes = PNG, headers: dict[str, str] | None = None, **options: Any
) -> httpx.Response:
    return await client.post(
        "/v1/analyses",
        files={"file": (NAME, content, "image/png")},
        data={"clinical": '{"age": 61}', "options": json.dumps(options)},
        headers=LATER | (headers or {}),
    )


async def accepted(client: httpx.AsyncClient, **options: Any) -> str:
    answer = await send(client, **options)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


async def finished(client: httpx.AsyncClient, location: str) -> Json:
    async with asyncio.timeout(60):
        while True:
            analysis: Json = (await client.get(location)).json()
            if analysis["state"] not in {"queued", "running"}:
                return analysis
            await asyncio.sleep(0.02)


def uploads(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


def problem(answer: httpx.Response, status: int) -> Json:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: Json = answer.json()
    return body


async def test_a_job_is_accepted_and_becomes_its_result(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await send(client, segment="always")
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    queued = answer.json()
    location = answer.headers["location"]
    assert location == f"/v1/analyses/{queued['id']}" == queued["links"]["self"]
    assert (queued["state"], queued["progress"]) == ("queued", {"stage": "decode", "done": 0, "total": 1})
    assert queued["input"] is queued["verdict"] is queued["timings_ms"] is queued["problem"] is None
    analysis = await finished(client, location)
    assert (analysis["state"], analysis["id"], analysis["created_at"]) == (
        "succeeded", queued["id"], queued["created_at"],
    )  # fmt: skip
    assert analysis["clinical"]["features"]
    assert analysis["timings_ms"]["total"] > 0
    for link in analysis["links"].values():
        assert (await client.get(link)).is_success
    assert uploads(tmp_path) == []
    at_once = await client.post(
        "/v1/analyses",
        files={"file": PNG},
        data={"clinical": '{"age": 61}', "options": '{"segment": "always"}'},
    )
    same = at_once.json()
    assert {name: same[name] for name in ("tumor", "view", "segmentation", "input", "verdict")} == {
        name: analysis[name] for name in ("tumor", "view", "segmentation", "input", "verdict")
    }


async def test_a_files_ending_is_kept_and_nothing_else_of_its_name(client: httpx.AsyncClient) -> None:
    answer = await send(client, pictures.save(pictures.gray8(), "JPEG"))
    analysis = await finished(client, answer.headers["location"])
    assert "although its name ends in .png" in analysis["input"]["warnings"][0]
    assert "Jane" not in json.dumps(analysis)


async def test_what_waits_is_listed_read_and_has_no_files(idle: httpx.AsyncClient, tmp_path: Path) -> None:
    location = await accepted(idle)
    assert (await idle.get(location)).json()["state"] == "queued"
    (listed,) = (await idle.get("/v1/analyses")).json()["analyses"]
    assert listed["state"] == "queued"
    missing = problem(await idle.get(f"{location}/input.png"), 404)
    assert "queued" in missing["detail"]
    (upload,) = uploads(tmp_path)
    assert upload.read_bytes() == PNG
    assert not re.search("doe|jane|1961", str(upload), re.IGNORECASE)


async def test_no_file_and_no_file_name_goes_into_redis(idle: httpx.AsyncClient, redis: Redis) -> None:
    await accepted(idle)
    for key in await redis.keys("*"):
        dumped = await redis.dump(key)
        assert PNG[:64] not in dumped
        assert b"Jane" not in dumped


@pytest.mark.parametrize(
    ("content", "options", "status", "code"),
    [
        (b"", {}, 422, "empty_file"),
        (b"%PDF-1.7 and so on", {}, 415, "unsupported_format"),
        (PNG, {"priority": "urgent"}, 422, "invalid_options"),
        (PNG, {"models": {"tumor": "nobody"}}, 422, "invalid_options"),
        (PNG, {"webhook": "https://elsewhere.example/"}, 422, "invalid_webhook"),
        (PNG, {"webhook": "http://ris.example/"}, 422, "invalid_webhook"),
        (PNG, {"webhook": 7}, 422, "invalid_options"),
    ],
)
async def test_what_can_be_refused_at_the_door_is_and_leaves_nothing(
    idle: httpx.AsyncClient, redis: Redis, tmp_path: Path, content: bytes, options: Json, status: int, code: str
) -> None:
    refused = problem(await send(idle, content, {"Idempotency-Key": "k"}, **options), status)
    assert refused["code"] == code
    assert uploads(tmp_path) == []
    assert await redis.keys("*") == []


async def test_a_form_without_a_file_is_refused(idle: httpx.AsyncClient) -> None:
    problem(await idle.post("/v1/analyses", files={"options": (None, "{}")}, headers=LATER), 422)


async def test_a_form_that_is_cut_short_leaves_nothing(idle: httpx.AsyncClient, tmp_path: Path) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    body = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + PNG * 3
    problem(await idle.post("/v1/analyses", content=body, headers=LATER | headers), 422)
    assert uploads(tmp_path) == []


async def test_a_webhook_without_a_job_is_refused(idle: httpx.AsyncClient) -> None:
    answer = await idle.post(
        "/v1/analyses", files={"file": PNG}, data={"options": '{"webhook": "https://ris.example/"}'}
    )
    assert "Prefer: respond-async" in problem(answer, 422)["detail"]


@pytest.mark.parametrize(
    ("content", "code"), [(PNG[:200], "unreadable_file"), (pictures.save(pictures.gray8() * 0, "PNG"), "blank_picture")]
)
async def test_what_decoding_refuses_fails_the_job(client: httpx.AsyncClient, content: bytes, code: str) -> None:
    answer = await send(client, content)
    analysis = await finished(client, answer.headers["location"])
    assert analysis["state"] == "failed"
    assert analysis["problem"]["code"] == code
    assert analysis["problem"]["request_id"] == answer.headers["x-request-id"]
    assert problem(await client.get(f"{answer.headers['location']}/input.png"), 404)


async def test_a_service_that_is_down_fails_the_job_after_three_tries(
    tiny_services: Services, redis: Redis, tmp_path: Path
) -> None:
    async with serving(tiny_services, redis, tmp_path, "http://classifier", in_gateway=True) as client:
        location = await accepted(client)
        analysis = await finished(client, location)
        assert (analysis["state"], analysis["problem"]["code"]) == ("failed", "not_ready")
        assert await redis.hget(keys.analysis(analysis["id"]), "tries") == b"3"
        assert uploads(tmp_path) == []


async def test_a_service_that_comes_back_is_waited_for(tiny_services: Services, redis: Redis, tmp_path: Path) -> None:
    async with serving(tiny_services, redis, tmp_path) as client:
        location = await accepted(client, segment="always")
    async with serving(tiny_services, redis, tmp_path, "http://segmenter", in_gateway=True, max_tries=50) as client:
        key = keys.analysis(location.rpartition("/")[2])
        async with asyncio.timeout(30):
            while int(await redis.hget(key, "tries") or 0) < 2:  # noqa: ASYNC110 - it is another program's doing
                await asyncio.sleep(0.02)
    async with serving(tiny_services, redis, tmp_path, in_gateway=True) as client:
        analysis = await finished(client, location)
    assert (analysis["state"], analysis["problem"]) == ("succeeded", None)


@pytest.mark.parametrize("way", ["cancel", "delete"])
async def test_a_queued_job_can_be_ended(idle: httpx.AsyncClient, redis: Redis, tmp_path: Path, way: str) -> None:
    location = await accepted(idle)
    if way == "delete":
        assert (await idle.delete(location)).status_code == 204
        problem(await idle.get(location), 404)
    else:
        answer = await idle.post(f"{location}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "canceled")
        assert (await idle.get(location)).content == answer.content
        assert problem(await idle.post(f"{location}/cancel"), 409)["code"] == "already_finished"
    assert uploads(tmp_path) == []
    assert await redis.zcard(keys.WAITING) == 0


async def test_the_same_key_and_body_lead_to_the_same_job(idle: httpx.AsyncClient, tmp_path: Path) -> None:
    key = {"Idempotency-Key": "key-1"}
    first, again = await send(idle, headers=key), await send(idle, headers=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["location"] == first.headers["location"]
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert again.content == first.content
    assert len(uploads(tmp_path)) == 1
    assert len((await idle.get("/v1/analyses")).json()["analyses"]) == 1
    other = await send(idle, headers=key, segment="never")
    assert problem(other, 422)["code"] == "idempotency_key_reused"
    assert len(uploads(tmp_path)) == 1


async def test_the_same_key_at_the_same_time_makes_one_job(idle: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(send(idle, headers={"Idempotency-Key": "key-2"}) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.headers["location"] for answer in answers if answer.status_code == 202}) == 1
    assert len((await idle.get("/v1/analyses")).json()["analyses"]) == 1


async def test_a_full_queue_answers_429(tiny_services: Services, redis: Redis, tmp_path: Path) -> None:
    async with serving(tiny_services, redis, tmp_path, max_waiting=10) as client:
        for _ in range(9):
            await accepted(client)
        full = await send(client, headers={"Idempotency-Key": "k"})
        assert problem(full, 429)["code"] == "queue_full"
        assert int(full.headers["retry-after"]) > 0
        assert len(uploads(tmp_path)) == 9
        location = await accepted(client, priority="stat")
        await client.delete(location)
        assert (await send(client, headers={"Idempotency-Key": "k"}, priority="stat")).status_code == 202


async def events(client: httpx.AsyncClient, location: str, last: str | None = None) -> list[tuple[str, Json]]:
    headers = {} if last is None else {"Last-Event-ID": last}
    answer = await client.get(f"{location}/events", headers=headers, timeout=60)
    assert answer.status_code in {200, 204}, answer.text
    if answer.status_code == 204:
        return []
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = [block for block in answer.text.split("\n\n") if block.startswith("id: ")]
    found = []
    for block in blocks:
        event_id, kind, told = block.split("\n")
        assert kind == "event: progress"
        found.append((event_id.removeprefix("id: "), json.loads(told.removeprefix("data: "))))
    return found


async def test_events_tell_of_every_stage_and_end_with_the_job(client: httpx.AsyncClient) -> None:
    location = await accepted(client, segment="always")
    told = await events(client, location)
    states = [event["state"] for _, event in told]
    assert (states[0], states[-1]) == ("queued", "succeeded")
    stages = list(dict.fromkeys(event["stage"] for _, event in told))
    assert stages == ["decode", "view", "tumor", "segmentation"]
    assert told[0][1].keys() == {"state", "stage", "done", "total"}
    for number, (event_id, _) in enumerate(told):
        assert await events(client, location, event_id) == told[number + 1 :]


async def test_following_what_is_not_there_or_with_a_wrong_id_is_refused(idle: httpx.AsyncClient) -> None:
    problem(await idle.get("/v1/analyses/019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10/events"), 404)
    location = await accepted(idle)
    problem(await idle.get(f"{location}/events", headers={"Last-Event-ID": "x"}), 422)


async def test_what_was_answered_at_once_has_one_event(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/analyses", files={"file": PNG})
    ((event_id, event),) = await events(client, answer.headers["location"])
    assert event["state"] == "succeeded"
    assert await events(client, answer.headers["location"], event_id) == []


@pytest.mark.parametrize("way", ["cancel", "delete"])
async def test_who_follows_a_job_that_is_ended_is_let_go(idle: httpx.AsyncClient, way: str) -> None:
    location = await accepted(idle)
    following = asyncio.create_task(events(idle, location))
    await asyncio.sleep(0.1)
    await (idle.delete(location) if way == "delete" else idle.post(f"{location}/cancel"))
    told = await asyncio.wait_for(following, 20)
    assert [event["state"] for _, event in told] == (["queued"] if way == "delete" else ["queued", "canceled"])


async def test_too_many_followers_are_refused_and_block_nobody(
    tiny_services: Services, redis: Redis, tmp_path: Path
) -> None:
    async with serving(tiny_services, redis, tmp_path, max_event_streams=1) as client:
        location = await accepted(client)
        first = asyncio.create_task(events(client, location))
        await asyncio.sleep(0.1)
        refused = await client.get(f"{location}/events")
        assert problem(refused, 503)["code"] == "overloaded"
        await client.post(f"{location}/cancel")
        assert (await asyncio.wait_for(first, 20))[-1][1]["state"] == "canceled"
        assert (await events(client, location))[-1][1]["state"] == "canceled"


async def test_jobs_that_wait_survive_the_gateway(tiny_services: Services, redis: Redis, tmp_path: Path) -> None:
    async with serving(tiny_services, redis, tmp_path) as client:
        location = await accepted(client)
    async with serving(tiny_services, redis, tmp_path, in_gateway=True) as client:
        assert (await finished(client, location))["state"] == "succeeded"
