"""Serve one application until told to stop: what every `python -m <service>` does."""

import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from service_kit.errors import ServiceError
from service_kit.logs import configure_logging
from service_kit.settings import ServiceSettings

_KEEP_ALIVE_S = 75  # longer than any client of ours keeps a connection: it is never closed under a request
_GRACE_S = 20


def serve(create: Callable[[], FastAPI], settings: ServiceSettings) -> None:
    """Build the application and listen on the settings' address; SIGTERM and SIGINT let running requests end first.

    Raises:
        SystemExit: the application cannot be built (the reason is on the standard error), or the port is taken.
    """
    configure_logging(settings.log_level)
    try:
        app = create()
    except ServiceError as error:
        sys.exit(f"cannot start: {error.detail}")
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
