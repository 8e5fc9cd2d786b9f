"""A gateway in this process, for as long as a command takes. Imported when it is needed: all services come with it."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from neurogate.embedded_redis import RedisNotStarted, embedded_redis
from neurogate.refused import NotStarted
from neurogate.stack import open_stack
from service_kit.errors import ModelInvalid


@contextlib.asynccontextmanager
async def own_gateway(models_dir: Path, timeout_s: float) -> AsyncIterator[httpx.AsyncClient]:
    """A client that reaches it in memory.

    Raises:
        NotStarted: Redis or a model is at fault.
    """
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="neurogate-")))
        try:
            redis_url = await stack.enter_async_context(embedded_redis(folder))
            app = await stack.enter_async_context(
                open_stack(models_dir=models_dir, redis_url=redis_url, data_dir=folder)
            )
            await stack.enter_async_context(app.router.lifespan_context(app))
        except (RedisNotStarted, ModelInvalid) as error:
            raise NotStarted(str(error)) from error
        transport = httpx.ASGITransport(app=app)
        yield await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://neurogate", timeout=timeout_s)
        )
