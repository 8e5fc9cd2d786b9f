"""The model services on tiny models, in one process; every call takes as long as is asked, so that kills hit jobs."""

import asyncio
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

import classifier_service.app
import metadata_service.app
import segmenter_service.app
from classifier_service.settings import ClassifierSettings
from metadata_service.settings import MetadataSettings
from segmenter_service.settings import SegmenterSettings
from service_kit.inference.factory import InferenceSettings
from service_kit.testing import tiny_repository


class Slow:
    """ASGI middleware: each POST waits first."""

    def __init__(self, app: ASGIApp, delay_s: float) -> None:
        self._app = app
        self._delay_s = delay_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            await asyncio.sleep(self._delay_s)
        await self._app(scope, receive, send)


def serve(ports: dict[str, int], folder: Path, delay_s: float) -> None:
    """Until killed."""
    engine = InferenceSettings(models_dir=tiny_repository(folder / "models"), concurrent_runs=1)
    apps: dict[str, ASGIApp] = {
        "classifier": classifier_service.app.create_app(ClassifierSettings(inference=engine)),
        "segmenter": segmenter_service.app.create_app(SegmenterSettings(inference=engine)),
        "metadata": metadata_service.app.create_app(MetadataSettings(inference=engine)),
    }

    async def all_of_them() -> None:
        servers = [
            uvicorn.Server(uvicorn.Config(Slow(app, delay_s), port=ports[name], log_config=None, access_log=False))
            for name, app in apps.items()
        ]
        await asyncio.gather(*(server.serve() for server in servers))

    asyncio.run(all_of_them())
