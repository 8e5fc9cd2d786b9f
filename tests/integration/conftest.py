"""A gateway to test: all services in this process on a real Redis, or the deployed one at GATEWAY_URL."""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from neurogate.embedded_redis import embedded_redis
from neurogate.stack import open_stack
from tests.integration.made_heads import Heads

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 60.0


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The published models; NEUROGATE_MODELS_DIR names others."""
    return Path(os.environ.get("NEUROGATE_MODELS_DIR", ROOT / "models"))


@pytest.fixture(scope="session")
def samples() -> Path:
    """The synthetic samples."""
    return ROOT / "samples"


@pytest.fixture(scope="session")
def deployed_url() -> str | None:
    """Address of a deployed gateway, None when the tests bring their own."""
    return os.environ.get("GATEWAY_URL")


@pytest.fixture(scope="session")
def heads() -> Heads:
    """Made four-sequence studies."""
    return Heads()


@contextlib.asynccontextmanager
async def deployed_gateway(url: str) -> AsyncIterator[httpx.AsyncClient]:
    key = os.environ.get("GATEWAY_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False) as http:
        yield http


@contextlib.asynccontextmanager
async def own_gateway(models_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="neurogate-")))
        redis_url = await stack.enter_async_context(embedded_redis(folder))
        app = await stack.enter_async_context(open_stack(models_dir=models_dir, redis_url=redis_url, data_dir=folder))
        await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app=app)
        yield await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=TIMEOUT_S)
        )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gateway(models_dir: Path, deployed_url: str | None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway under test, for the whole run: its tests share one loop (`pytestmark` in each file)."""
    opened = own_gateway(models_dir) if deployed_url is None else deployed_gateway(deployed_url)
    async with opened as client:
        yield client
