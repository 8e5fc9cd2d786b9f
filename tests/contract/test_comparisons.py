"""`POST /v1/comparisons` on the whole application, with analyses as the store has them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis

import gateway.app
from gateway.analysis_id import new_analysis_id
from gateway.jobs import keys
from gateway.schemas import Analysis
from service_kit.testing import running_app
from tests.contract.conftest import refuse
from tests.contract.test_jobs import settings
from tests.unit.gateway_comparison.analyses import analysis, lesion, slice_analysis, summary

FIRST = analysis(summary(20.0, lesion(30, 20)))
SECOND = analysis(summary(31.0, lesion(40, 30)), days=60)


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    client: Redis = FakeAsyncRedis()
    yield client
    await client.aclose()


@pytest.fixture
async def client(redis: Redis, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as http:
        app = gateway.app.create_app(settings(tmp_path), http=http, redis=redis)
        async with running_app(app) as client:
            yield client


async def keep(redis: Redis, *analyses: Analysis) -> None:
    for one in analyses:
        await redis.hset(keys.analysis(one.id), "document", one.model_dump_json())


async def send(client: httpx.AsyncClient, first: str, second: str, **more: Any) -> httpx.Response:
    return await client.post("/v1/comparisons", json={"baseline": first, "followup": second, **more})


async def test_two_volumes_are_compared_and_nothing_is_kept(client: httpx.AsyncClient, redis: Redis) -> None:
    await keep(redis, FIRST, SECOND)
    before = sorted(await redis.keys("*"))
    answer = await send(client, FIRST.id, SECOND.id, tolerance_percent=5)
    assert answer.status_code == 200, answer.text
    comparison = answer.json()
    assert comparison["volume"]["change"] == pytest.approx(11.0)
    assert comparison["category"]["category"] == "progressive_disease"
    assert comparison["baseline"]["id"] == FIRST.id
    assert "not a diagnosis" in comparison["statement"]
    assert sorted(await redis.keys("*")) == before


@pytest.mark.parametrize(
    ("second", "status", "code", "words"),
    [
        (None, 404, "not_found", "followup: there is no such analysis"),
        (analysis(None, state="running"), 409, "analysis_not_finished", "is running"),
        (analysis(None), 422, "not_comparable", "segment: always"),
        (slice_analysis(100.0), 422, "not_comparable", "One is a slice"),
        (FIRST, 422, "not_comparable", "the same analysis"),
    ],
)
async def test_refusals_say_what_to_do(
    client: httpx.AsyncClient, redis: Redis, second: Analysis | None, status: int, code: str, words: str
) -> None:
    await keep(redis, FIRST, *([second] if second else []))
    answer = await send(client, FIRST.id, second.id if second else new_analysis_id())
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"baseline": FIRST.id},
        {"baseline": FIRST.id, "followup": SECOND.id, "tolerance_percent": -1},
        {"baseline": FIRST.id, "followup": SECOND.id, "tolerance": 3},
        {"baseline": 7, "followup": SECOND.id},
    ],
)
async def test_a_wrong_body_is_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await client.post("/v1/comparisons", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"


async def test_an_id_that_is_none_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await send(client, "../../etc", FIRST.id)).status_code == 404


async def test_openapi_tells_of_body_answer_and_problems(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/comparisons"]["post"]
    assert {"200", "401", "404", "409", "422", "503"} <= operation["responses"].keys()
    problems = operation["responses"]["422"]["content"]["application/problem+json"]["examples"]
    assert {"not_comparable", "invalid_request"} <= problems.keys()
    schemas = document["components"]["schemas"]
    assert schemas["ComparisonRequest"]["examples"][0].keys() == {"baseline", "followup", "tolerance_percent"}
    assert {"category", "volume_category", "statement", "warnings", "disclaimer"} <= schemas["Comparison"][
        "properties"
    ].keys()
