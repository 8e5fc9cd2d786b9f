"""An ASGI application on a real socket of loopback, without uvicorn's waiting loop of a tenth of a second."""

import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.types import ASGIApp


@contextlib.asynccontextmanager
async def on_a_socket(app: ASGIApp) -> AsyncIterator[int]:
    """Serve `app`; yields the port."""
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        await server.startup(sockets=[listening])
        yield listening.getsockname()[1]
        await server.shutdown(sockets=[listening])
