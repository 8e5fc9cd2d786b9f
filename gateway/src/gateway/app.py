"""Composition root: settings in, application out. Every collaborator is made here and passed down."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version

import httpx
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.api import analyses, artifacts, models, pages, stages
from gateway.api.form import FormLimits
from gateway.api.intake import Intake
from gateway.api.security_headers import SecurityHeaders
from gateway.catalog import ModelCatalog
from gateway.clients.classifier import ClassifierClient
from gateway.clients.metadata import MetadataClient
from gateway.clients.segmenter import SegmenterClient
from gateway.clients.upstream import Upstream
from gateway.errors import InvalidClinicalRecord
from gateway.imaging.decode import DecodeLimits
from gateway.jobs.store import RedisStore
from gateway.pipeline import Pipeline
from gateway.roster import Lister, ModelRoster
from gateway.security import API_KEY, BEARER, KeyGuard
from gateway.settings import GatewaySettings
from service_kit import problems
from service_kit.app import create_service_app
from service_kit.contracts.common import StageName
from service_kit.errors import Unauthorized

TITLE = "NeuroGate"
_DESCRIPTION = """\
AI on brain MRI: a slice in; its plane, the tumor's type with a calibrated confidence and a heat map, the outline and
its measures out. **Research use only. Not a medical device.**"""
# Shorter than the services keep a connection open, so that none is closed while a request is on its way.
_KEEP_ALIVE_S = 30.0


def create_app(
    settings: GatewaySettings, *, http: httpx.AsyncClient | None = None, redis: Redis | None = None
) -> FastAPI:
    """The gateway. What is passed in stays the caller's to close; what is made here is closed with the application.

    `http` reaches the services at the settings' URLs; `redis` is a client that does not decode answers.
    """
    outbound = http or _http_client(settings)
    database = redis or _redis_client(settings)
    threads = ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="pictures")

    service = partial(Upstream, outbound, timeout_s=settings.stage_timeout_s)
    classifier = ClassifierClient(
        service(settings.view_url, service="view classifier"), service(settings.tumor_url, service="tumor classifier")
    )
    segmenter = SegmenterClient(service(settings.segmenter_url, service="segmenter"))
    metadata = MetadataClient(service(settings.metadata_url, service="metadata service"))
    store = RedisStore(database, ttl_s=settings.result_ttl_s)
    listers: dict[StageName, Lister] = {
        "view": partial(classifier.models, "view"),
        "tumor": partial(classifier.models, "tumor"),
        "clinical": metadata.models,
        "segmentation": segmenter.models,
    }
    catalog, roster = ModelCatalog(listers, settings.models_dir), ModelRoster(listers)
    intake = Intake(_form_limits(settings), _decode_limits(settings), threads)

    async def readiness() -> dict[str, bool]:
        redis_ready, stages_ready, segmenter_ready, metadata_ready = await asyncio.gather(
            store.ready(), classifier.ready(), segmenter.ready(), metadata.ready()
        )
        return {"redis": redis_ready, **stages_ready, "segmentation": segmenter_ready, "clinical": metadata_ready}

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        threads.shutdown()
        if http is None:
            await outbound.aclose()
        if redis is None:
            await database.aclose()

    guarded = APIRouter(
        dependencies=[Depends(KeyGuard(settings.api_keys)), Depends(BEARER), Depends(API_KEY)],
        responses=problems.declare(Unauthorized),
    )
    pipeline = Pipeline(classifier, segmenter, metadata, roster, settings.judge)
    guarded.include_router(analyses.create_router(intake, pipeline, store))
    guarded.include_router(artifacts.create_router(store, threads))
    guarded.include_router(
        stages.create_router(intake, classifier, segmenter, metadata, roster, max_record_bytes=settings.max_field_bytes)
    )
    guarded.include_router(models.create_router(catalog))
    app = create_service_app(
        title=TITLE,
        version=version("gateway"),
        description=_DESCRIPTION,
        settings=settings,
        routers=[guarded, pages.create_router(TITLE)],
        lifespan=lifespan,
        readiness=readiness,
        optional=("segmentation", "clinical"),
        docs_url=None,
    )
    app.router.routes.append(pages.assets())
    app.add_exception_handler(InvalidClinicalRecord, _on_invalid_record)
    app.add_exception_handler(Unauthorized, _on_unauthorized)
    app.add_middleware(SecurityHeaders)
    return app


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


def _form_limits(settings: GatewaySettings) -> FormLimits:
    return FormLimits(
        max_parts=settings.max_parts,
        max_file_bytes=settings.max_file_bytes,
        max_field_bytes=settings.max_field_bytes,
    )


def _decode_limits(settings: GatewaySettings) -> DecodeLimits:
    return DecodeLimits(max_file_bytes=settings.max_file_bytes, max_pixels=settings.max_pixels)


async def _on_invalid_record(_: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidClinicalRecord)  # noqa: S101 - registered for it
    return problems.render(error, fields=error.errors)


async def _on_unauthorized(_: Request, error: Exception) -> Response:
    assert isinstance(error, Unauthorized)  # noqa: S101 - registered for it
    return problems.render(error, headers={"WWW-Authenticate": f'Bearer realm="{TITLE}"'})
