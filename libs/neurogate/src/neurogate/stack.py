"""The whole system in one process: four applications, one HTTP client between them, no sockets."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

import classifier_service.app
import gateway.app
import metadata_service.app
import segmenter_service.app
from classifier_service.settings import ClassifierSettings
from gateway.settings import GatewaySettings
from metadata_service.settings import MetadataSettings
from segmenter_service.settings import SegmenterSettings
from service_kit.inference.factory import InferenceSettings
from service_kit.memory_transport import MemoryTransport

_LONGEST_GRACE_S = 3.0


@contextlib.asynccontextmanager
async def open_stack(
    *,
    models_dir: Path,
    redis_url: str,
    data_dir: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    api_keys: Sequence[str] = (),
    inference: InferenceSettings | None = None,
) -> AsyncIterator[FastAPI]:
    """Start the three model services, then yield the gateway's application, which talks to them in memory.

    `data_dir` is where uploads of jobs lie. A worker runs in the gateway's lifespan, which is run by whoever serves it;
    the services' life is this context's.

    Raises:
        pydantic.ValidationError: a setting is wrong, say an address that others can reach without a key.
        ModelInvalid: a model in `models_dir` cannot be served.
    """
    engine = inference or InferenceSettings(models_dir=models_dir)
    services: dict[str, FastAPI] = {
        "http://classifier": classifier_service.app.create_app(ClassifierSettings(inference=engine)),
        "http://segmenter": segmenter_service.app.create_app(SegmenterSettings(inference=engine)),
        "http://metadata": metadata_service.app.create_app(MetadataSettings(inference=engine)),
    }
    settings = GatewaySettings(
        host=host,
        port=port,
        redis_url=redis_url,
        models_dir=models_dir,
        api_keys=tuple(SecretStr(key) for key in api_keys),
        view_url="http://classifier",
        tumor_url="http://classifier",
        segmenter_url="http://segmenter",
        metadata_url="http://metadata",
    )
    # What else is set about jobs and webhooks comes from the environment, as in a deployment.
    embedded = {
        "in_gateway": True,
        "blob_dir": data_dir.resolve() / "blobs",
        # Who ends it waits; a job that is given back goes on at the next start.
        "grace_s": min(settings.jobs.grace_s, _LONGEST_GRACE_S),
    }
    jobs = settings.jobs.model_copy(update=embedded)
    settings = settings.model_copy(update={"jobs": jobs})
    async with contextlib.AsyncExitStack() as stack:
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {}
        for origin, app in services.items():
            await stack.enter_async_context(app.router.lifespan_context(app))
            mounts[origin] = MemoryTransport(app=app)
        client = await stack.enter_async_context(httpx.AsyncClient(mounts=mounts, trust_env=False))
        yield gateway.app.create_app(settings, http=client)
