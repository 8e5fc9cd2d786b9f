"""Composition root: settings and the model in, application out."""

import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI

from metadata_service.api import create_router
from metadata_service.normalizer import Normalizer
from metadata_service.settings import MetadataSettings
from service_kit.app import create_service_app
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.factory import open_backend
from service_kit.inference.served import StageModels


def create_app(settings: MetadataSettings, *, backend: InferenceBackend | None = None) -> FastAPI:
    """Build the service on `backend`, or on the published model that the settings name.

    Raises:
        ModelInvalid: a model that cannot be served.
    """
    if backend is None:
        backend = open_backend(settings.inference, settings.model)
    models = StageModels("clinical", [backend])

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await models.aclose()

    return create_service_app(
        title="NeuroGate metadata",
        version=version("metadata-service"),
        settings=settings,
        routers=[create_router(Normalizer(backend), models)],
        lifespan=lifespan,
        readiness=models.ready,
    )
