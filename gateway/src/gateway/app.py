"""Composition root: settings in, application out. Every collaborator is made here and passed down."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path

import httpx
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from redis.asyncio import Redis

from gateway.api import (
    analyses,
    artifacts,
    comparisons,
    events,
    models,
    page,
    pages,
    reviews,
    sequences,
    session,
    slices,
    stages,
    webhooks,
)
from gateway.api.form import FormLimits
from gateway.api.intake import Intake
from gateway.api.security_headers import SecurityHeaders
from gateway.built_page import BuiltPage, packaged_page
from gateway.catalog import ModelCatalog
from gateway.collaborators import collaborate, volume_limits
from gateway.errors import InvalidClinicalRecord
from gateway.jobs.events import RedisEvents
from gateway.jobs.reviews import RedisReviews
from gateway.jobs.store import RedisStore
from gateway.recent import RecentVolumes
from gateway.security import API_KEY, BEARER, SESSION, KeyGuard
from gateway.settings import GatewaySettings
from gateway.worker import running_worker
from service_kit import problems
from service_kit.app import create_service_app
from service_kit.errors import Forbidden, Unauthorized

TITLE = "NeuroGate"
_DESCRIPTION = """\
AI on brain MRI: a slice in; its plane, the tumor's type with a calibrated confidence and a heat map, the outline and
its measures out. **Research use only. Not a medical device.**"""
_CLAIM_MARGIN_S = 5


def create_app(
    settings: GatewaySettings,
    *,
    http: httpx.AsyncClient | None = None,
    redis: Redis | None = None,
    page_dir: Path | None = None,
) -> FastAPI:
    """The gateway. What is passed in stays the caller's to close; what is made here is closed with the application.

    `http` reaches the services at the settings' URLs; `redis` is a client that does not decode answers; `page_dir` has
    the built page, without it the package's own is served.
    """
    made, life = collaborate(settings, http=http, redis=redis)
    store = RedisStore(
        made.redis,
        made.blobs,
        ttl_s=settings.result_ttl_s,
        running_ttl_s=math.ceil(settings.request_timeout_s) + _CLAIM_MARGIN_S,
    )
    built = BuiltPage(page_dir or packaged_page())
    catalog = ModelCatalog(made.listers, settings.models_dir)
    intake = Intake(
        _form_limits(settings),
        made.reader,
        made.blobs,
        volume_limits(settings),
        max_picture_bytes=settings.max_file_bytes,
    )

    async def readiness() -> dict[str, bool]:
        redis_ready, blobs_ready, stages_ready, segmenter_ready, metadata_ready = await asyncio.gather(
            store.ready(),
            made.blobs.ready(),
            made.classifier.ready(),
            made.segmenter.ready(),
            made.metadata.ready(),
        )
        return {
            "redis": redis_ready,
            **stages_ready,
            "segmentation": segmenter_ready,
            "clinical": metadata_ready,
            "blobs": blobs_ready,
        }

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(life)
            if settings.jobs.in_gateway:
                await stack.enter_async_context(running_worker(made))
            yield

    guard = KeyGuard(settings.api_keys)
    guarded = APIRouter(
        dependencies=[Depends(guard), Depends(BEARER), Depends(API_KEY), Depends(SESSION)],
        responses=problems.declare(Unauthorized, Forbidden),
    )
    recent = RecentVolumes(store)
    guarded.include_router(analyses.create_router(intake, made.pipeline, store, made.queue, made.outbox, recent))
    guarded.include_router(events.create_router(RedisEvents(made.redis), max_streams=settings.jobs.max_event_streams))
    guarded.include_router(webhooks.create_router(made.outbox))
    guarded.include_router(reviews.create_router(RedisReviews(made.redis)))
    guarded.include_router(slices.create_router(recent, made.threads))
    guarded.include_router(sequences.create_router(recent, made.threads))
    guarded.include_router(comparisons.create_router(store))
    guarded.include_router(artifacts.create_router(store, made.threads))
    guarded.include_router(
        stages.create_router(
            intake,
            made.classifier,
            made.segmenter,
            made.metadata,
            made.roster,
            max_record_bytes=settings.max_field_bytes,
        )
    )
    guarded.include_router(models.create_router(catalog))
    app = create_service_app(
        title=TITLE,
        version=version("gateway"),
        description=_DESCRIPTION,
        settings=settings,
        routers=[
            guarded,
            session.create_router(guard),
            pages.create_router(TITLE),
            page.create_router(built, made.threads),
        ],
        lifespan=lifespan,
        readiness=readiness,
        optional=("segmentation", "clinical", "blobs"),
        docs_url=None,
    )
    app.router.routes.append(pages.assets())
    app.add_exception_handler(InvalidClinicalRecord, _on_invalid_record)
    app.add_exception_handler(Unauthorized, _on_unauthorized)
    app.add_middleware(SecurityHeaders)
    return app


def _form_limits(settings: GatewaySettings) -> FormLimits:
    return FormLimits(
        max_parts=settings.max_parts,
        max_file_bytes=max(settings.max_file_bytes, settings.volumes.max_file_bytes),
        max_field_bytes=settings.max_field_bytes,
    )


async def _on_invalid_record(_: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidClinicalRecord)  # noqa: S101 - registered for it
    return problems.render(error, fields=error.errors)


async def _on_unauthorized(_: Request, error: Exception) -> Response:
    assert isinstance(error, Unauthorized)  # noqa: S101 - registered for it
    return problems.render(error, headers={"WWW-Authenticate": f'Bearer realm="{TITLE}"'})
