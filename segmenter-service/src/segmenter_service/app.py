"""Composition root: settings and models in, application out."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import version

from fastapi import FastAPI

from segmenter_service.api import create_router
from segmenter_service.segmenter import Segmenter
from segmenter_service.settings import MAX_VOXELS, SegmenterSettings
from segmenter_service.volume_api import PATH, create_volume_router
from segmenter_service.volume_segmenter import VolumeSegmenter
from segmenter_service.volume_turns import VolumeTurns
from service_kit.app import create_service_app
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.factory import ModelRepository
from service_kit.inference.served import StageModels

_PREFERRED = "unet3d"


def create_app(
    settings: SegmenterSettings,
    *,
    backends: Sequence[InferenceBackend] | None = None,
    volume_backends: Sequence[InferenceBackend] = (),
) -> FastAPI:
    """Build the service on `backends` and `volume_backends` (the preferred first), or on the published models.

    Raises:
        ModelInvalid: a model that cannot be served.
    """
    if backends is None:
        repository = ModelRepository(settings.inference.models_dir)
        models = StageModels.open(settings.inference, "segmentation", settings.models, repository=repository)
        of_volumes = _volume_models(settings, repository)
    else:
        models = StageModels("segmentation", backends)
        of_volumes = StageModels("segmentation", volume_backends) if volume_backends else None
    segmenter = Segmenter(models, chunk_slices=settings.chunk_slices, chunks_at_once=settings.chunks_at_once)
    volume_segmenter = None if of_volumes is None else VolumeSegmenter(of_volumes)
    turns = VolumeTurns(settings.volumes_at_once, settings.volumes_waiting)
    every = (models,) if of_volumes is None else (models, of_volumes)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for one in every:
            await one.aclose()

    async def ready() -> dict[str, bool]:
        return {name: there for one in every for name, there in (await one.ready()).items()}

    return create_service_app(
        title="NeuroGate segmenter",
        version=version("segmenter-service"),
        settings=settings,
        routers=[
            create_router(segmenter, models, max_slices=settings.max_slices, volume_models=of_volumes),
            create_volume_router(volume_segmenter, turns, max_voxels=MAX_VOXELS),
        ],
        lifespan=lifespan,
        readiness=ready,
        body_limits={PATH: settings.max_volume_bytes},
    )


def _volume_models(settings: SegmenterSettings, repository: ModelRepository) -> StageModels | None:
    """Those that the settings name, or else those that there are; None where there are none."""
    names = settings.volume_models
    if names is None:
        published = [manifest.name for manifest in repository.by_stage("segmentation", volumes=True)]
        names = tuple(sorted(published, key=lambda name: name != _PREFERRED)[:1])
    if not names:
        return None
    return StageModels.open(settings.inference, "segmentation", names, volumes=True, repository=repository)
