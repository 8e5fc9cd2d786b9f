"""Sign a browser in: an API key once, then a cookie that pictures, event streams and links carry too."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.status import HTTP_204_NO_CONTENT

from gateway.api.documentation import json_body
from gateway.api.json_body import read_model
from gateway.security import SESSION_COOKIE, KeyGuard
from gateway.session_schemas import SessionRequest, SessionState
from service_kit.errors import InvalidRequest, PayloadTooLarge, Unauthorized, UnsupportedMedia
from service_kit.problems import declare

_MAX_BYTES: Final = 8192
_COOKIE: Final = {"Set-Cookie": {"description": f"`{SESSION_COOKIE}`", "schema": {"type": "string"}}}
_OPENED: Final[dict[int | str, dict[str, Any]]] = {204: {"description": "Signed in", "headers": _COOKIE}}
_CLOSED: Final[dict[int | str, dict[str, Any]]] = {204: {"description": "Signed out", "headers": _COOKIE}}


def create_router(guard: KeyGuard) -> APIRouter:
    """`/session`; needs no key itself."""
    router = APIRouter(prefix="/session", tags=["session"])

    @router.get("", summary="Whether a key is needed, and whether this browser gave one")
    async def get_session(request: Request) -> SessionState:
        return SessionState(required=guard.required, signed_in=guard.required and _admitted(request))

    @router.post(
        "",
        summary="Sign a browser in with an API key",
        description="The cookie holds no key; it ends with the browser's session, and when the key is withdrawn. "
        "A gateway without keys sets none.",
        status_code=HTTP_204_NO_CONTENT,
        response_class=Response,
        responses={**declare(Unauthorized, InvalidRequest, UnsupportedMedia, PayloadTooLarge), **_OPENED},
        openapi_extra=json_body(SessionRequest, {"key": "a-key-of-this-gateway"}),
    )
    async def open_session(request: Request) -> Response:
        asked = await read_model(request, SessionRequest, max_bytes=_MAX_BYTES)
        answer = Response(status_code=HTTP_204_NO_CONTENT, headers={"Cache-Control": "no-store"})
        if guard.required:
            session = guard.open_session(asked.key.get_secret_value())
            answer.set_cookie(
                SESSION_COOKIE, session, path="/", secure=_by_https(request), httponly=True, samesite="strict"
            )
        return answer

    @router.delete(
        "",
        summary="Sign this browser out",
        status_code=HTTP_204_NO_CONTENT,
        response_class=Response,
        responses=_CLOSED,
    )
    async def close_session(request: Request) -> Response:
        answer = Response(status_code=HTTP_204_NO_CONTENT, headers={"Cache-Control": "no-store"})
        answer.delete_cookie(SESSION_COOKIE, path="/", secure=_by_https(request), httponly=True, samesite="strict")
        return answer

    def _admitted(request: Request) -> bool:
        try:
            guard.admit(request.method, request.headers, request.cookies.get(SESSION_COOKIE))
        except Unauthorized:
            return False
        return True

    return router


def _by_https(request: Request) -> bool:
    """Also where a proxy ended TLS. Who makes the header up has his own cookie held back, and nobody else's."""
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return request.url.scheme == "https" or forwarded == "https"
