"""The factory that every service's `create_app` calls: probes, metrics, problems, and the edge."""

import asyncio
import http
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from service_kit import problems
from service_kit.errors import ServiceError
from service_kit.metrics import METRICS_MEDIA_TYPE, RequestMetrics
from service_kit.middleware import EdgeMiddleware
from service_kit.settings import ServiceSettings

_log = logging.getLogger(__name__)

Readiness = Callable[[], Awaitable[dict[str, bool]]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_READINESS_TIMEOUT_S = 3.0
_JSON = "application/json"


class ServiceApp(FastAPI):
    """FastAPI whose OpenAPI document tells of problems as they are answered."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if not self.openapi_schema:
            problems.describe_in(super().openapi())
        return super().openapi()


def create_service_app(
    *,
    title: str,
    version: str,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    lifespan: Lifespan | None = None,
    readiness: Readiness | None = None,
    optional: Collection[str] = (),
    description: str = "",
    docs_url: str | None = "/docs",
    body_limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """An application with everything that is the same in all services.

    `readiness` says of each thing that the service uses whether it is there; without it the service is ready as soon
    as it is alive. What is `optional` is reported, and does not make the service unready when it is missing.
    `body_limits` are the paths whose bodies have another limit than `max_body_bytes`.
    Whoever serves the application runs its lifespan; no socket is needed.
    """
    app = ServiceApp(
        title=title,
        version=version,
        description=description,
        lifespan=lifespan,
        docs_url=docs_url,
        redoc_url=None,
        redirect_slashes=False,
    )
    metrics = RequestMetrics()
    app.add_middleware(
        EdgeMiddleware,
        max_body_bytes=settings.max_body_bytes,
        max_in_flight=settings.max_in_flight,
        request_timeout_s=settings.request_timeout_s,
        metrics=metrics,
        body_limits=body_limits,
    )
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    # In this order, as a request is compared with one route after the other.
    for router in (*routers, _operations(readiness, frozenset(optional), metrics.render)):
        app.include_router(router)
    return app


def _operations(readiness: Readiness | None, optional: frozenset[str], metrics: Callable[[], bytes]) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/health/live", response_class=Response, responses={200: {"content": {_JSON: {}}}})
    async def live() -> Response:
        """Whether the service runs."""
        return Response(b'{"status":"ok"}', media_type=_JSON)

    @router.get(
        "/health/ready",
        response_class=Response,
        responses={
            200: {"description": "Everything is there", "content": {_JSON: {"example": _READY}}},
            503: {"description": "Something is missing", "content": {_JSON: {"example": _NOT_READY}}},
        },
    )
    async def ready() -> Response:
        """Whether the service can answer, and of each thing that it needs whether it is there."""
        checks = await _check(readiness) if readiness else {}
        ok = all(there for name, there in checks.items() if name not in optional)
        body = json.dumps({"status": "ok" if ok else "not_ready", "checks": checks})
        status = http.HTTPStatus.OK if ok else http.HTTPStatus.SERVICE_UNAVAILABLE
        return Response(body.encode(), status_code=status, media_type=_JSON)

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def prometheus() -> Response:
        """Metrics in Prometheus' text format."""
        return Response(metrics(), media_type=METRICS_MEDIA_TYPE)

    return router


_READY = {"status": "ok", "checks": {"tumor": True}}
_NOT_READY = {"status": "not_ready", "checks": {"tumor": False}}


async def _check(readiness: Readiness) -> dict[str, bool]:
    try:
        async with asyncio.timeout(_READINESS_TIMEOUT_S):
            return await readiness()
    except Exception:  # noqa: BLE001 - whatever it is, a probe wants an answer
        _log.warning("the readiness check failed", exc_info=True)
        return {"readiness": False}


async def _on_service_error(request: Request, error: Exception) -> Response:  # noqa: ARG001 - starlette's signature
    assert isinstance(error, ServiceError)  # noqa: S101 - registered for it
    if error.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("answered %s %s: %s", error.status, error.code, error.detail, exc_info=error.__cause__)
    return problems.render(error)


async def _on_validation_error(request: Request, error: Exception) -> Response:  # noqa: ARG001 - starlette's signature
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    return problems.render_validation(error)


async def _on_http_exception(request: Request, error: Exception) -> Response:  # noqa: ARG001 - starlette's signature
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    return problems.render_http(error)
