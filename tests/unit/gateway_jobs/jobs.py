"""What the jobs' tests share: orders, findings, a queue with its leases."""

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from gateway.analysis import queued_analysis
from gateway.findings import Findings
from gateway.jobs.leases import RedisLeases
from gateway.jobs.queue import RedisJobQueue
from gateway.jobs.store import RedisStore
from gateway.order import Order
from gateway.pipeline import Pipeline
from gateway.ports import IdempotencyClaim
from gateway.schemas import Analysis, AnalysisOptions
from gateway.stopwatch import Stopwatch
from tests.unit.gateway.fakes import FakeClassifier, FakeNormalizer, FakeRoster, FakeSegmenter, study
from tests.unit.gateway_jobs.fakes import FakeBlobs

TTL_S = 3600


def pipeline() -> Pipeline:
    return Pipeline(FakeClassifier(), FakeSegmenter(), FakeNormalizer(), FakeRoster())


async def some_findings() -> Findings:
    return await pipeline().analyze(study(), None, AnalysisOptions(segment="always"), Stopwatch())


def order(**options: Any) -> Order:
    return Order(uploads=(), options=AnalysisOptions(**options), record={"age": 61}, request_id="r-1")


@dataclass
class Jobs:
    """Everything on one Redis."""

    redis: Redis
    queue: RedisJobQueue
    leases: RedisLeases
    store: RedisStore
    blobs: FakeBlobs

    async def accept(self, claim: IdempotencyClaim | None = None, webhook: str | None = None, **options: Any) -> str:
        analysis = queued_analysis()
        await self.queue.accept(analysis, order(**options), claim, webhook)
        return analysis.id

    async def analysis(self, analysis_id: str) -> Analysis:
        return Analysis.model_validate_json(await self.store.document(analysis_id))


def jobs_on(redis: Redis, *, lease_s: float = 5.0, max_waiting: int = 100, ttl_s: int = TTL_S) -> Jobs:
    kept = FakeBlobs()
    return Jobs(
        redis,
        RedisJobQueue(redis, ttl_s=ttl_s, max_waiting=max_waiting),
        RedisLeases(redis, kept, ttl_s=ttl_s, lease_s=lease_s),
        RedisStore(redis, kept, ttl_s=ttl_s),
        kept,
    )
