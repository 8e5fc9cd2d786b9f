"""Composition root: settings and models in, application out."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import version

from fastapi import FastAPI

from classifier_service.api import create_router
from classifier_service.settings import ClassifierSettings, Task
from classifier_service.tumor import TumorClassifier
from classifier_service.view import ViewClassifier
from service_kit.app import create_service_app
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.served import StageModels


def create_app(settings: ClassifierSettings, *, backends: Sequence[InferenceBackend] | None = None) -> FastAPI:
    """Build the service on `backends`, or on the published models of the tasks that the settings name.

    Raises:
        ModelInvalid: a model that cannot be served.
    """
    view_models = _open(settings, "view", backends) if "view" in settings.tasks else None
    tumor_models = _open(settings, "tumor", backends) if "tumor" in settings.tasks else None
    stages = tuple(models for models in (view_models, tumor_models) if models is not None)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for models in stages:
            await models.aclose()

    async def readiness() -> dict[str, bool]:
        return {name: ready for models in stages for name, ready in (await models.ready()).items()}

    router = create_router(
        ViewClassifier(view_models) if view_models else None,
        TumorClassifier(tumor_models) if tumor_models else None,
        stages,
    )
    return create_service_app(
        title="NeuroGate classifier",
        version=version("classifier-service"),
        settings=settings,
        routers=[router],
        lifespan=lifespan,
        readiness=readiness,
    )


def _open(settings: ClassifierSettings, stage: Task, backends: Sequence[InferenceBackend] | None) -> StageModels:
    if backends is not None:
        return StageModels(stage, [backend for backend in backends if backend.manifest.stage == stage])
    preferred = settings.view_model if stage == "view" else settings.tumor_model
    return StageModels.open(settings.inference, stage, [preferred])
