"""Reviews on a real Redis: what is kept, what two readers at once leave, and which files are made anew."""

import asyncio
import json
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway.blobs.port import FILE, BlobKey
from gateway.errors import AnalysisNotFinished, NotReviewable
from gateway.jobs import keys
from gateway.jobs.reviews import RedisReviews
from gateway.review_schemas import ReviewRequest
from gateway.reviews import MAX_REVIEWS, SHOWN_IN, review_now, with_review
from gateway.schemas import Analysis
from service_kit.errors import NotFound, UpstreamFailed
from tests.unit.gateway_jobs.jobs import TTL_S, Jobs, jobs_on, some_findings
from tests.unit.gateway_volumes.volume_cases import volume_case

NO_ID = "019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10"
AGREE = review_now(ReviewRequest(decision="agree"))
CORRECTED = review_now(
    ReviewRequest(decision="corrected", label="meningioma", comment="Dural tail.\nSee slice 12.", reviewer="Reader 2")
)


@pytest.fixture
def jobs(redis: Redis) -> Jobs:
    return jobs_on(redis)


@pytest.fixture
def reviews(redis: Redis) -> RedisReviews:
    return RedisReviews(redis)


async def a_slice(jobs: Jobs) -> str:
    findings = await some_findings()
    await jobs.store.save(findings)
    return findings.analysis.id


async def a_volume(jobs: Jobs) -> str:
    await jobs.accept()
    lease = await jobs.leases.claim()
    assert lease is not None
    assert await jobs.leases.succeed(lease, volume_case((12, 12, 12)))
    return lease.id


KINDS = pytest.mark.parametrize("made", [a_slice, a_volume])


@KINDS
async def test_reviews_are_appended_and_nothing_else_changes(jobs: Jobs, reviews: RedisReviews, made: Any) -> None:
    analysis_id = await made(jobs)
    before = json.loads(await jobs.store.document(analysis_id))
    assert before["reviews"] == []
    for review in (AGREE, CORRECTED):
        answered = await reviews.add(analysis_id, review)
        assert await jobs.store.document(analysis_id) == answered
    after = json.loads(answered)
    told = after.pop("reviews")
    assert [entry["decision"] for entry in told] == ["agree", "corrected"]
    assert told[0].keys() == {"decision", "label", "comment", "reviewer", "created_at"}
    assert (told[1]["label"], told[1]["comment"]) == ("meningioma", "Dural tail.\nSee slice 12.")
    before.pop("reviews")
    assert after == before
    kept = await jobs.store.findings(analysis_id)
    assert kept.analysis.reviews == (AGREE, CORRECTED)


async def test_of_many_readers_at_once_every_review_stays(jobs: Jobs, reviews: RedisReviews) -> None:
    analysis_id = await a_slice(jobs)
    told = [review_now(ReviewRequest(decision="disagree", reviewer=f"Reader {number}")) for number in range(20)]
    await asyncio.gather(*(reviews.add(analysis_id, one) for one in told))
    kept = (await jobs.analysis(analysis_id)).reviews
    assert {one.reviewer for one in kept} == {one.reviewer for one in told}
    assert len(kept) == 20


async def test_a_command_that_is_sent_twice_counts_once(jobs: Jobs, reviews: RedisReviews) -> None:
    analysis_id = await a_slice(jobs)
    before = await jobs.store.document(analysis_id)
    after, count = with_review(before, AGREE)
    for _ in range(2):
        assert await reviews._review(args=[analysis_id, before, after, count]) == 1
    assert (await jobs.analysis(analysis_id)).reviews == (AGREE,)


async def test_a_review_lives_no_longer_than_its_analysis(jobs: Jobs, reviews: RedisReviews) -> None:
    analysis_id = await a_slice(jobs)
    await jobs.redis.expire(keys.analysis(analysis_id), 500)
    await reviews.add(analysis_id, AGREE)
    assert 490 < await jobs.redis.ttl(keys.analysis(analysis_id)) <= 500 < TTL_S
    await jobs.store.delete(analysis_id)
    with pytest.raises(NotFound):
        await reviews.add(analysis_id, AGREE)
    assert await jobs.redis.keys("*") == []


async def test_the_hundredth_is_the_last(jobs: Jobs, reviews: RedisReviews) -> None:
    analysis_id = await a_slice(jobs)
    for _ in range(MAX_REVIEWS):
        await reviews.add(analysis_id, AGREE)
    with pytest.raises(NotReviewable, match="100 reviews"):
        await reviews.add(analysis_id, AGREE)
    assert len((await jobs.analysis(analysis_id)).reviews) == MAX_REVIEWS


async def test_what_has_no_answer_is_not_reviewed(jobs: Jobs, reviews: RedisReviews) -> None:
    waiting, canceled = await jobs.accept(), await jobs.accept()
    with pytest.raises(AnalysisNotFinished, match="queued"):
        await reviews.add(waiting, AGREE)
    await jobs.queue.cancel(canceled)
    with pytest.raises(NotReviewable, match="canceled"):
        await reviews.add(canceled, AGREE)
    lease = await jobs.leases.claim()
    assert lease is not None
    with pytest.raises(AnalysisNotFinished):
        await reviews.add(waiting, AGREE)
    await jobs.leases.fail(lease, UpstreamFailed("no"))
    with pytest.raises(NotReviewable, match="failed"):
        await reviews.add(waiting, AGREE)
    for unknown in (NO_ID, "x", "../etc"):
        with pytest.raises(NotFound):
            await reviews.add(unknown, AGREE)


async def test_an_analysis_of_an_older_version_is_reviewed_too(jobs: Jobs, reviews: RedisReviews) -> None:
    analysis_id = await a_slice(jobs)
    old = json.loads(await jobs.store.document(analysis_id))
    del old["reviews"]
    await jobs.redis.hset(keys.analysis(analysis_id), "document", json.dumps(old))
    assert Analysis.model_validate_json(await reviews.add(analysis_id, AGREE)).reviews == (AGREE,)


@KINDS
async def test_files_that_show_reviews_are_made_anew_and_others_kept(
    jobs: Jobs, reviews: RedisReviews, made: Any
) -> None:
    analysis_id = await made(jobs)
    names = {*SHOWN_IN, "overlay.png"}
    for name in names:
        await jobs.store.keep_artifact(analysis_id, name, b"old")
        assert await jobs.store.artifact(analysis_id, name) == b"old"
    await reviews.add(analysis_id, AGREE)
    # One that was being rendered when the review came.
    await jobs.store.keep_artifact(analysis_id, "report.html", b"old")
    for name in names:
        assert await jobs.store.artifact(analysis_id, name) == (None if name in SHOWN_IN else b"old")
    assert await jobs.redis.hget(keys.analysis(analysis_id), "artifact:report.html") is None
    assert (BlobKey(analysis_id, FILE + "overlay.png") in jobs.blobs.kept) is (made is a_volume)
