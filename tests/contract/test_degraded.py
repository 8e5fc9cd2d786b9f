"""The gateway when a part of the system is down."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

import gateway.app
from gateway.settings import GatewaySettings
from service_kit.testing import running_app
from tests.contract.conftest import Services
from tests.unit.gateway_imaging import pictures

SCAN = {"file": ("slice.png", pictures.save(pictures.gray8(), "PNG"), "image/png")}
SETTINGS = GatewaySettings(
    view_url="http://classifier",
    tumor_url="http://classifier",
    segmenter_url="http://segmenter",
    metadata_url="http://metadata",
    stage_timeout_s=5,
)
ALWAYS = {"options": '{"segment": "always"}'}


@contextlib.asynccontextmanager
async def running_gateway(
    services: Services, *down: str, redis: Redis | None = None, settings: GatewaySettings = SETTINGS
) -> AsyncIterator[httpx.AsyncClient]:
    database = FakeAsyncRedis() if redis is None else redis
    async with (
        services.client(down=down) as http,
        running_app(gateway.app.create_app(settings, http=http, redis=database)) as client,
    ):
        yield client
    await database.aclose()


async def analyze(client: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await client.post("/v1/analyses", files=SCAN, data=fields)


async def test_without_the_segmenter_the_answer_is_partial(tiny_services: Services) -> None:
    async with running_gateway(tiny_services, "http://segmenter") as client:
        answer = await analyze(client, **ALWAYS)
        assert answer.status_code == 201
        body: dict[str, Any] = answer.json()
        assert (body["verdict"], body["segmentation"]) == ("review", None)
        assert "stage_unavailable" in [reason["code"] for reason in body["reasons"]]
        assert (body["problem"]["code"], body["problem"]["stage"]) == ("not_ready", "segmentation")
        assert body["problem"]["request_id"] == answer.headers["x-request-id"]
        assert body["tumor"]["label"]
        missing = await client.get(f"{body['links']['self']}/mask.png")
        assert (missing.status_code, "segmenter gave no answer" in missing.json()["detail"]) == (404, True)
        assert (await client.get(body["links"]["report"])).status_code == 200


async def test_without_the_metadata_service_only_records_suffer(tiny_services: Services) -> None:
    async with running_gateway(tiny_services, "http://metadata") as client:
        assert (await analyze(client)).json()["problem"] is None
        body = (await analyze(client, clinical='{"age": 50}')).json()
        assert (body["clinical"], body["problem"]["stage"], body["verdict"]) == (None, "clinical", "review")
        stage = await client.post("/v1/clinical-vectors", json={"age": 50})
        assert (stage.status_code, stage.json()["code"]) == (503, "not_ready")


async def test_without_the_classifier_there_is_no_answer_and_nothing_is_stored(tiny_services: Services) -> None:
    async with running_gateway(tiny_services, "http://classifier") as client:
        answer = await analyze(client, clinical="{}")
        assert answer.status_code == 503
        assert (answer.json()["code"], answer.json()["stage"]) == ("not_ready", "view")
        assert int(answer.headers["retry-after"]) > 0
        assert (await client.get("/v1/analyses")).json() == {"analyses": [], "next_cursor": None}


async def test_without_redis_the_store_is_named(tiny_services: Services) -> None:
    redis = Redis(unix_socket_path="/nowhere/redis.sock", retry=Retry(NoBackoff(), 1))
    async with running_gateway(tiny_services, redis=redis) as client:
        for answer in (await analyze(client), await client.get("/v1/analyses")):
            assert answer.status_code == 503
            assert (answer.json()["code"], answer.json()["stage"]) == ("not_ready", "store")
            assert "retry-after" in answer.headers
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["redis"]) == (503, False)


async def test_a_redis_that_hangs_is_given_up_in_time(tiny_services: Services) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = SETTINGS.model_copy(update={"redis_url": f"redis://127.0.0.1:{port}", "redis_timeout_s": 0.2})
    async with (
        tiny_services.client() as http,
        running_app(gateway.app.create_app(settings, http=http)) as client,
    ):
        answer = await asyncio.wait_for(analyze(client), 20)
        assert (answer.status_code, answer.json()["stage"]) == (503, "store")
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("down", "status", "missing"),
    [
        ((), 200, set()),
        (("http://segmenter", "http://metadata"), 200, {"segmentation", "clinical"}),
        (("http://classifier",), 503, {"view", "tumor"}),
    ],
)
async def test_readiness_tells_of_each_dependency(
    tiny_services: Services, down: tuple[str, ...], status: int, missing: set[str]
) -> None:
    async with running_gateway(tiny_services, *down) as client:
        answer = await client.get("/health/ready")
        assert answer.status_code == status
        checks = answer.json()["checks"]
        assert checks.keys() == {"redis", "view", "tumor", "segmentation", "clinical", "blobs"}
        assert {name for name, ready in checks.items() if not ready} == missing
        assert (await client.get("/health/live")).status_code == 200


async def test_models_of_a_service_that_is_down_are_listed_as_unavailable(tiny_services: Services) -> None:
    async with running_gateway(tiny_services, "http://segmenter") as client:
        listing = (await client.get("/v1/models")).json()
        assert {model["stage"] for model in listing["models"]} == {"view", "tumor", "clinical"}
        assert [(item["stage"], item["code"]) for item in listing["unavailable"]] == [("segmentation", "not_ready")]
        assert (await client.get("/v1/models/tumor")).json()["card"] is None
        assert (await client.get("/v1/models/seg-t1")).status_code == 503


async def test_a_deadline_that_is_too_short_names_the_stage(tiny_services: Services) -> None:
    async with running_gateway(tiny_services) as client:
        answer = await client.post("/v1/analyses", files=SCAN, headers={"X-Deadline-Ms": "40"})
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
        assert (await client.get("/v1/analyses")).json()["analyses"] == []


async def test_keys_guard_everything_but_probes_and_pages(tiny_services: Services) -> None:
    key = "a-key-of-24-characters.."
    settings = SETTINGS.model_copy(update={"host": "0.0.0.0", "api_keys": GatewaySettings(api_keys=(key,)).api_keys})
    async with running_gateway(tiny_services, settings=settings) as client:
        for path in ("/v1/analyses", "/v1/models", "/v1/models/tumor", "/v1/analyses/x", "/v1/analyses/x/input.png"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for path in ("view-classifications", "tumor-classifications", "segmentations", "analyses"):
            assert (await client.post(f"/v1/{path}", files=SCAN)).status_code == 401
        assert (await client.post("/v1/clinical-vectors", json={})).status_code == 401
        for path in ("/health/live", "/health/ready", "/docs", "/openapi.json"):
            assert (await client.get(path)).status_code == 200, path
        bearer = await client.get("/v1/models", headers={"Authorization": f"Bearer {key}"})
        header = await client.get("/v1/models", headers={"X-API-Key": key})
        assert (bearer.status_code, header.status_code) == (200, 200)
        assert (await client.get("/v1/models", headers={"X-API-Key": key + "x"})).status_code == 401


async def test_callers_with_one_idempotency_key_do_not_meet(tiny_services: Services) -> None:
    keys = ("a-key-of-24-characters..", "another-key-of-24-chars.")
    settings = SETTINGS.model_copy(update={"api_keys": GatewaySettings(api_keys=keys).api_keys})
    async with running_gateway(tiny_services, settings=settings) as client:
        answers = [
            await client.post("/v1/analyses", files=SCAN, headers={"X-API-Key": key, "Idempotency-Key": "1"})
            for key in keys
        ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({json.loads(answer.content)["id"] for answer in answers}) == 2
