"""The work list with filters, on a real Redis."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from gateway.analysis_filter import MAX_SCANNED, AnalysisFilter
from gateway.analysis_id import new_analysis_id
from gateway.app import create_app
from gateway.errors import InvalidCursor
from gateway.findings import Page
from gateway.job_settings import JobSettings
from gateway.jobs import keys
from gateway.jobs.reviews import RedisReviews
from gateway.review_schemas import ReviewRequest
from gateway.reviews import review_now
from gateway.settings import GatewaySettings
from service_kit.contracts.classification import TumorClassification, TumorLabel
from service_kit.testing import running_app
from tests.unit.gateway_jobs.jobs import Jobs, jobs_on, some_findings
from tests.unit.gateway_volumes.volume_cases import volume_case


@pytest.fixture
def jobs(redis: Redis) -> Jobs:
    return jobs_on(redis)


@pytest.fixture
async def client(redis: Redis, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = GatewaySettings(jobs=JobSettings(blob_dir=tmp_path))
    async with running_app(create_app(settings, redis=redis)) as client:
        yield client


async def saved(jobs: Jobs, label: TumorLabel = "glioma", sha256: str = "0" * 64, **changes: Any) -> str:
    findings = await some_findings()
    assert findings.analysis.tumor is not None
    told: TumorClassification = findings.analysis.tumor.model_copy(update={"label": label})
    sent = findings.analysis.input.model_copy(update={"sha256": sha256})
    analysis = findings.analysis.model_copy(update={"tumor": told, "input": sent, **changes})
    await jobs.store.save(replace(findings, analysis=analysis))
    await asyncio.sleep(0.002)  # ids of one millisecond are in no order
    return analysis.id


async def listed_many(redis: Redis, count: int, **changes: Any) -> list[str]:
    """Ids of analyses that are only on the list, the newest first."""
    plain = (await some_findings()).analysis.model_dump(mode="json")
    ids = sorted((new_analysis_id() for _ in range(count)), reverse=True)
    async with redis.pipeline(transaction=False) as batch:
        for analysis_id in ids:
            document = json.dumps({**plain, **changes, "id": analysis_id})
            batch.hset(keys.analysis(analysis_id), "document", document)
            batch.zadd(keys.INDEX, {analysis_id: 0})
        await batch.execute()
    return ids


def ids_of(page: Page) -> list[str]:
    return [json.loads(document)["id"] for document in page.documents]


async def found(jobs: Jobs, limit: int = 20, **asked: Any) -> list[str]:
    """All that match, page after page, newest first."""
    seen: list[str] = []
    page = await jobs.store.page(limit, None, AnalysisFilter(**asked))
    while True:
        assert len(page.documents) <= limit
        seen += ids_of(page)
        if page.next_cursor is None:
            return seen
        page = await jobs.store.page(limit, page.next_cursor, AnalysisFilter(**asked))


async def test_each_filter_finds_its_own(jobs: Jobs) -> None:
    plain = await saved(jobs, sha256="ab" * 32)
    refused = await saved(jobs, "meningioma", verdict="refuse")
    waiting = await jobs.accept()
    assert await found(jobs, state="queued") == [waiting]
    assert await found(jobs, state="succeeded") == [refused, plain]
    assert await found(jobs, verdict="refuse") == [refused]
    assert await found(jobs, label="meningioma") == [refused]
    assert await found(jobs, label="pituitary") == []
    assert await found(jobs, kind="slice") == [refused, plain]
    assert await found(jobs, kind="volume") == []
    assert await found(jobs, text="baba") == [plain]
    assert await found(jobs, text=waiting[10:]) == [waiting]
    assert await found(jobs, text="no such text") == []
    assert await found(jobs, state="succeeded", label="glioma", kind="slice", text=plain) == [plain]
    assert await found(jobs, state="queued", label="glioma") == []


async def test_a_volume_is_found_by_its_kind(jobs: Jobs) -> None:
    await saved(jobs)
    volume = await jobs.accept()
    lease = await jobs.leases.claim()
    assert lease is not None
    await jobs.leases.succeed(lease, volume_case((12, 12, 12)))
    assert await found(jobs, kind="volume") == [volume]


async def test_the_label_is_the_one_that_stands(jobs: Jobs, redis: Redis) -> None:
    reviews = RedisReviews(redis)
    analysis_id = await saved(jobs, "glioma")
    await reviews.add(analysis_id, review_now(ReviewRequest(decision="corrected", label="meningioma")))
    assert await found(jobs, label="meningioma") == [analysis_id]
    assert await found(jobs, label="glioma") == []
    await reviews.add(analysis_id, review_now(ReviewRequest(decision="agree")))
    assert await found(jobs, label="meningioma") == []
    assert await found(jobs, label="glioma") == [analysis_id]


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
async def test_pages_hold_each_match_once(jobs: Jobs, redis: Redis, limit: int) -> None:
    wanted = {*await listed_many(redis, 12, verdict="refuse")}
    await listed_many(redis, 230, verdict="answer")
    wanted |= {*await listed_many(redis, 9, verdict="refuse")}
    seen = await found(jobs, limit, verdict="refuse")
    assert seen == sorted(wanted, reverse=True)


async def test_a_full_last_page_has_no_cursor(jobs: Jobs, redis: Redis) -> None:
    await listed_many(redis, 5)
    page = await jobs.store.page(5, None, AnalysisFilter(state="succeeded"))
    assert (len(page.documents), page.next_cursor) == (5, None)
    page = await jobs.store.page(4, None, AnalysisFilter(state="succeeded"))
    assert page.next_cursor is not None


async def test_one_request_looks_at_a_bounded_number_and_says_where_to_go_on(jobs: Jobs, redis: Redis) -> None:
    oldest = (await listed_many(redis, 1, verdict="refuse"))[0]
    await asyncio.sleep(0.002)
    await listed_many(redis, MAX_SCANNED + 50, verdict="answer")
    first = await jobs.store.page(20, None, AnalysisFilter(verdict="refuse"))
    assert first.documents == ()
    assert first.next_cursor is not None
    second = await jobs.store.page(20, first.next_cursor, AnalysisFilter(verdict="refuse"))
    assert (ids_of(second), second.next_cursor) == ([oldest], None)


async def test_what_was_evicted_is_skipped_and_taken_off_the_list(jobs: Jobs, redis: Redis) -> None:
    ids = await listed_many(redis, 6)
    await redis.delete(*(keys.analysis(analysis_id) for analysis_id in ids[::2]))
    assert await found(jobs, 2, state="succeeded") == ids[1::2]
    assert await redis.zcard(keys.INDEX) == 3


async def test_a_foreign_cursor_is_refused(jobs: Jobs) -> None:
    with pytest.raises(InvalidCursor):
        await jobs.store.page(20, "x", AnalysisFilter(state="queued"))


async def test_over_http_filters_are_parameters(client: httpx.AsyncClient, jobs: Jobs) -> None:
    plain = await saved(jobs, sha256="ab" * 32)
    waiting = await jobs.accept()

    async def asked(**parameters: str) -> list[str]:
        answer = await client.get("/v1/analyses", params=parameters)
        assert answer.status_code == 200
        return [analysis["id"] for analysis in answer.json()["analyses"]]

    assert await asked() == await asked(q="") == await asked(q="  ") == [waiting, plain]
    assert await asked(state="queued") == [waiting]
    assert await asked(q=plain.upper()) == await asked(q="ABAB", label="glioma", kind="slice") == [plain]
    assert await asked(q="%00*[") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("state", "done"), ("verdict", "yes"), ("label", "lymphoma"), ("kind", "film"), ("q", "x" * 101), ("state", "")],
)
async def test_a_filter_that_there_is_not_is_refused(client: httpx.AsyncClient, name: str, value: str) -> None:
    answer = await client.get("/v1/analyses", params={name: value})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert name in answer.json()["detail"]
