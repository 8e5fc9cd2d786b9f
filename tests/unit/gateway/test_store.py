"""The store on a fake and on a real Redis."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.blobs.files import FileBlobStore
from gateway.errors import IdempotencyKeyReused, InvalidCursor, RequestInProgress
from gateway.findings import BareFile, Findings
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.raster import decode_raster
from gateway.jobs import keys
from gateway.jobs.store import RedisStore
from gateway.pipeline import Pipeline
from gateway.ports import IdempotencyClaim
from gateway.schemas import Analysis, AnalysisOptions, FinishedAnalysis
from gateway.stopwatch import Stopwatch
from service_kit.errors import NotFound, NotReady
from tests.unit.gateway.fakes import FakeClassifier, FakeNormalizer, FakeRoster, FakeSegmenter, study
from tests.unit.gateway_imaging import pictures

NO_BLOBS = FileBlobStore(Path("nowhere"))
NO_ID = "019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10"
CLAIM = IdempotencyClaim("anonymous key-1", "f" * 64)


@pytest.fixture
def store(redis: Redis) -> RedisStore:
    return RedisStore(redis, NO_BLOBS, ttl_s=3600)


async def some_findings(segment: str = "always", *, heatmap: bool = True) -> Findings:
    pipeline = Pipeline(FakeClassifier(), FakeSegmenter(), FakeNormalizer(), FakeRoster())
    options = AnalysisOptions.model_validate({"segment": segment, "heatmap": heatmap})
    return await pipeline.analyze(study(), {}, options, Stopwatch())


async def saved(store: RedisStore, count: int) -> list[str]:
    """Ids, the oldest first."""
    ids = []
    for _ in range(count):
        findings = await some_findings()
        await store.save(findings)
        ids.append(findings.analysis.id)
        await asyncio.sleep(0.002)  # ids of one millisecond are in no order
    return ids


async def test_what_is_saved_comes_back_whole(store: RedisStore) -> None:
    findings = await some_findings()
    document = await store.save(findings)
    analysis_id = findings.analysis.id
    assert await store.document(analysis_id) == document
    assert FinishedAnalysis.model_validate_json(document) == findings.analysis
    found = await store.findings(analysis_id)
    np.testing.assert_array_equal(found.pixels, findings.pixels)
    assert found.pixels.dtype == findings.pixels.dtype
    assert found.mask is not None
    assert findings.mask is not None
    np.testing.assert_array_equal(found.mask, findings.mask)
    assert found.saliency is not None
    assert findings.saliency is not None
    np.testing.assert_array_equal(found.saliency.values, findings.saliency.values)
    assert (found.saliency.extent, found.saliency.label) == (findings.saliency.extent, findings.saliency.label)


async def test_float_pixels_of_odd_sizes_are_kept_exactly(store: RedisStore) -> None:
    pixels = np.random.default_rng(1).normal(0, 900, (33, 47)).astype(np.float32)
    findings = replace(await some_findings(), pixels=pixels, mask=pixels > 0)
    await store.save(findings)
    found = await store.findings(findings.analysis.id)
    np.testing.assert_array_equal(found.pixels, pixels)
    np.testing.assert_array_equal(found.mask, pixels > 0)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
async def test_a_bare_file_is_kept_in_the_place_of_the_pixels(
    store: RedisStore, redis: Redis, kind: Literal["png", "jpeg"]
) -> None:
    content = pictures.save(pictures.gray8(), kind.upper())
    pixels = decode_raster(content, kind, DecodeLimits())
    findings = replace(await some_findings("never"), pixels=pixels, file=BareFile(kind, content))
    await store.save(findings)
    arrays = await redis.hget(keys.analysis(findings.analysis.id), "arrays")
    assert arrays is not None
    assert len(arrays) < len(content) + 600
    np.testing.assert_array_equal((await store.findings(findings.analysis.id)).pixels, pixels)


async def test_what_was_not_found_stays_absent(store: RedisStore) -> None:
    findings = await some_findings("never", heatmap=False)
    await store.save(findings)
    found = await store.findings(findings.analysis.id)
    assert found.mask is None
    assert found.saliency is None


async def test_all_of_an_analysis_expires(store: RedisStore, redis: Redis) -> None:
    findings = await some_findings()
    await store.claim(CLAIM)
    await store.save(findings, CLAIM)
    await store.keep_artifact(findings.analysis.id, "overlay.png", b"png")
    for key in (keys.analysis(findings.analysis.id), keys.claim(CLAIM.key)):
        assert 3590 < await redis.ttl(key) <= 3600


async def test_saving_takes_expired_ids_off_the_list(redis: Redis) -> None:
    shortlived = RedisStore(redis, NO_BLOBS, ttl_s=1)
    first = (await saved(shortlived, 1))[0]
    await asyncio.sleep(2.1)
    second = (await saved(shortlived, 1))[0]
    assert await redis.zrange(keys.INDEX, 0, -1) == [second.encode()]
    assert first != second


async def test_pages_go_from_new_to_old(store: RedisStore) -> None:
    ids = await saved(store, 5)
    seen: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = await store.page(2, cursor)
        seen += [Analysis.model_validate_json(document).id for document in page.documents]
        cursor, pages = page.next_cursor, pages + 1
    assert seen == ids[::-1]
    assert pages == 3


async def test_a_full_last_page_has_no_cursor(store: RedisStore) -> None:
    await saved(store, 2)
    page = await store.page(2, None)
    assert (len(page.documents), page.next_cursor) == (2, None)
    assert (await store.page(100, keys.cursor_after(NO_ID))).documents == ()


async def test_new_analyses_do_not_shift_the_pages(store: RedisStore) -> None:
    ids = await saved(store, 3)
    page = await store.page(1, None)
    await saved(store, 2)
    following = await store.page(5, page.next_cursor)
    assert [Analysis.model_validate_json(document).id for document in following.documents] == ids[1::-1]


async def test_evicted_analyses_are_skipped_and_taken_off_the_list(store: RedisStore, redis: Redis) -> None:
    ids = await saved(store, 4)
    await redis.delete(keys.analysis(ids[3]), keys.analysis(ids[2]))
    page = await store.page(2, None)
    assert [Analysis.model_validate_json(document).id for document in page.documents] == [ids[1], ids[0]]
    assert await redis.zcard(keys.INDEX) == 2


@pytest.mark.parametrize("cursor", ["x", "%%%", "", "bm90IGFuIGlk", "ÿ", "A" * 199])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        keys.id_before(cursor)


async def test_delete_erases_everything(store: RedisStore, redis: Redis) -> None:
    findings = await some_findings()
    analysis_id = findings.analysis.id
    await store.claim(CLAIM)
    await store.save(findings, CLAIM)
    await store.keep_artifact(analysis_id, "overlay.png", b"png")
    await store.delete(analysis_id)
    assert await redis.keys("*") == []
    with pytest.raises(NotFound):
        await store.delete(analysis_id)


@pytest.mark.parametrize("analysis_id", [NO_ID, "x", "", "../etc", "*", NO_ID.upper()])
async def test_unknown_ids_are_not_found(store: RedisStore, analysis_id: str) -> None:
    for call in (store.document(analysis_id), store.findings(analysis_id), store.delete(analysis_id)):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(NotFound):
        await store.artifact(analysis_id, "input.png")


async def test_artifacts_are_cached_with_their_analysis(store: RedisStore) -> None:
    findings = await some_findings()
    await store.save(findings)
    assert await store.artifact(findings.analysis.id, "overlay.png") is None
    await store.keep_artifact(findings.analysis.id, "overlay.png", b"png")
    assert await store.artifact(findings.analysis.id, "overlay.png") == b"png"


async def test_an_artifact_does_not_bring_a_deleted_analysis_back(store: RedisStore, redis: Redis) -> None:
    findings = await some_findings()
    await store.save(findings)
    await store.delete(findings.analysis.id)
    await store.keep_artifact(findings.analysis.id, "overlay.png", b"png")
    assert await redis.keys("*") == []


async def test_a_claim_is_taken_once_and_answered_afterwards(store: RedisStore) -> None:
    assert await store.claim(CLAIM) is None
    with pytest.raises(RequestInProgress):
        await store.claim(CLAIM)
    document = await store.save(await some_findings(), CLAIM)
    assert await store.claim(CLAIM) == document


async def test_a_claim_with_another_body_is_refused_while_running_and_after(store: RedisStore) -> None:
    other = replace(CLAIM, fingerprint="e" * 64)
    await store.claim(CLAIM)
    with pytest.raises(IdempotencyKeyReused):
        await store.claim(other)
    await store.save(await some_findings(), CLAIM)
    with pytest.raises(IdempotencyKeyReused):
        await store.claim(other)


async def test_a_released_claim_and_one_whose_analysis_is_gone_are_free_again(store: RedisStore, redis: Redis) -> None:
    await store.claim(CLAIM)
    await store.release(CLAIM)
    assert await store.claim(CLAIM) is None
    findings = await some_findings()
    await store.save(findings, CLAIM)
    await redis.delete(keys.analysis(findings.analysis.id))
    assert await store.claim(CLAIM) is None
    with pytest.raises(RequestInProgress):
        await store.claim(CLAIM)


async def test_a_save_that_redis_refuses_leaves_nothing(redis_socket: str) -> None:
    redis = Redis(unix_socket_path=redis_socket)
    await redis.flushall()
    await redis.config_set("maxmemory", "1")
    try:
        with pytest.raises(NotReady) as caught:
            await RedisStore(redis, NO_BLOBS, ttl_s=3600).save(await some_findings())
        assert caught.value.stage == "store"
        assert await redis.keys("*") == []
    finally:
        await redis.config_set("maxmemory", "0")
        await redis.aclose()


async def test_without_redis_every_call_says_so() -> None:
    redis = Redis(unix_socket_path="/nowhere/redis.sock", retry=Retry(NoBackoff(), 1))
    store = RedisStore(redis, NO_BLOBS, ttl_s=3600)
    findings = await some_findings()
    calls = (
        store.save(findings),
        store.document(NO_ID),
        store.findings(NO_ID),
        store.page(1, None),
        store.delete(NO_ID),
        store.artifact(NO_ID, "input.png"),
        store.keep_artifact(NO_ID, "input.png", b""),
        store.claim(CLAIM),
        store.release(CLAIM),
    )
    for call in calls:
        with pytest.raises(NotReady) as caught:
            await call
        assert caught.value.stage == "store"
    assert not await store.ready()
    await redis.aclose()
