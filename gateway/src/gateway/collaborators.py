"""What the gateway and its worker are both made of: every collaborator, made once from settings and passed down."""

import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import httpx
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.blobs.files import FileBlobStore
from gateway.blobs.port import BlobStore
from gateway.clients.classifier import ClassifierClient
from gateway.clients.metadata import MetadataClient
from gateway.clients.segmenter import SegmenterClient
from gateway.clients.upstream import Upstream
from gateway.imaging.decode import DecodeLimits
from gateway.imaging.volume_limits import VolumeLimits
from gateway.job_settings import JobSettings
from gateway.jobs.outbox import RedisOutbox
from gateway.jobs.queue import RedisJobQueue
from gateway.jobs.targets import WebhookTargets
from gateway.pipeline import Pipeline
from gateway.reading import StudyReader
from gateway.roster import Lister, ModelRoster
from gateway.settings import GatewaySettings
from gateway.volume_pipeline import VolumePipeline
from service_kit.contracts.common import StageName

# Shorter than the services keep a connection open, so that none is closed while a request is on its way.
_KEEP_ALIVE_S = 30.0


@dataclass(frozen=True, slots=True)
class Collaborators:
    """Made by `collaborate`, which says what `http` and `redis` are; `threads` decode and draw."""

    settings: GatewaySettings
    http: httpx.AsyncClient
    redis: Redis
    threads: ThreadPoolExecutor
    classifier: ClassifierClient
    segmenter: SegmenterClient
    metadata: MetadataClient
    listers: dict[StageName, Lister]
    roster: ModelRoster
    pipeline: Pipeline
    volume_pipeline: VolumePipeline
    reader: StudyReader
    blobs: BlobStore
    queue: RedisJobQueue
    targets: WebhookTargets
    outbox: RedisOutbox


def collaborate(
    settings: GatewaySettings, *, http: httpx.AsyncClient | None = None, redis: Redis | None = None
) -> tuple[Collaborators, contextlib.AbstractAsyncContextManager[None]]:
    """The collaborators, and the context in which they live. What is passed in stays the caller's to close."""
    outbound = http or _http_client(settings)
    database = redis or _redis_client(settings)
    threads = ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="pictures")
    service = partial(Upstream, outbound, timeout_s=settings.stage_timeout_s)
    classifier = ClassifierClient(
        service(settings.view_url, service="view classifier"), service(settings.tumor_url, service="tumor classifier")
    )
    segmenter = SegmenterClient(service(settings.segmenter_url, service="segmenter"))
    metadata = MetadataClient(service(settings.metadata_url, service="metadata service"))
    listers: dict[StageName, Lister] = {
        "view": partial(classifier.models, "view"),
        "tumor": partial(classifier.models, "tumor"),
        "clinical": metadata.models,
        "segmentation": segmenter.models,
    }
    roster = ModelRoster(listers)
    targets = WebhookTargets(settings.webhooks)
    limits = DecodeLimits(max_file_bytes=settings.max_file_bytes, max_pixels=settings.max_pixels)
    made = Collaborators(
        settings=settings,
        http=outbound,
        redis=database,
        threads=threads,
        classifier=classifier,
        segmenter=segmenter,
        metadata=metadata,
        listers=listers,
        roster=roster,
        pipeline=Pipeline(classifier, segmenter, metadata, roster, settings.judge),
        volume_pipeline=VolumePipeline(classifier, segmenter, metadata, roster, settings.judge),
        reader=StudyReader(limits, volume_limits(settings), threads),
        blobs=_blob_store(settings.jobs),
        queue=RedisJobQueue(database, ttl_s=settings.result_ttl_s, max_waiting=settings.jobs.max_waiting),
        targets=targets,
        outbox=RedisOutbox(database, targets, lease_s=2 * settings.webhooks.timeout_s + 5),
    )

    @contextlib.asynccontextmanager
    async def life() -> AsyncIterator[None]:
        try:
            yield
        finally:
            threads.shutdown()
            if http is None:
                await outbound.aclose()
            if redis is None:
                await database.aclose()

    return made, life()


def volume_limits(settings: GatewaySettings) -> VolumeLimits:
    """What the settings say of volumes, as the decoder takes it."""
    return VolumeLimits(**settings.volumes.model_dump())


def _blob_store(jobs: JobSettings) -> BlobStore:
    if jobs.blob_url is None:
        return FileBlobStore(jobs.blob_dir)
    from gateway.blobs.objects import ObjectBlobStore, bucket  # noqa: PLC0415 - 15 MB for those who need it

    return ObjectBlobStore(bucket(jobs.blob_url))


def _http_client(settings: GatewaySettings) -> httpx.AsyncClient:
    limits = httpx.Limits(
        max_connections=settings.max_connections,
        max_keepalive_connections=settings.max_connections,
        keepalive_expiry=_KEEP_ALIVE_S,
    )
    # One more try when no connection comes about: nothing was sent yet. Whatever was sent is never sent twice.
    transport = httpx.AsyncHTTPTransport(retries=1, limits=limits, trust_env=False)
    return httpx.AsyncClient(transport=transport, trust_env=False)


def _redis_client(settings: GatewaySettings) -> Redis:
    return Redis.from_url(
        settings.redis_url,
        socket_timeout=settings.redis_timeout_s,
        socket_connect_timeout=settings.redis_timeout_s,
        # One more try on a connection that died while it was idle; all our commands may be sent twice.
        retry=Retry(NoBackoff(), 1),
    )
