"""Composition root: settings and models in, application out."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import version

from fastapi import FastAPI

from segmenter_service.api import create_router
from segmenter_service.segmenter import Segmenter
from segmenter_service.settings import SegmenterSettings
from service_kit.app import create_service_app
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.served import StageModels


def create_app(settings: SegmenterSettings, *, backends: Sequence[InferenceBackend] | None = None) -> FastAPI:
    """Build the service on `backends` (the preferred first), or on the published models.

    Raises:
        ModelInvalid: a model that cannot be served.
    """
    if backends is None:
        models = StageModels.open(settings.inference, "segmentation", settings.models)
    else:
        models = StageModels("segmentation", backends)
    segmenter = Segmenter(models, chunk_slices=settings.chunk_slices, chunks_at_once=settings.chunks_at_once)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await models.aclose()

    return create_service_app(
        title="NeuroGate segmenter",
        version=version("segmenter-service"),
        settings=settings,
        routers=[create_router(segmenter, models, max_slices=settings.max_slices)],
        lifespan=lifespan,
        readiness=models.ready,
    )
