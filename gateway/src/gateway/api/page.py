"""The page at `/`: one HTML file for every route of it, and the files that it loads, all from this server."""

import asyncio
from concurrent.futures import Executor
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.status import HTTP_304_NOT_MODIFIED

from gateway.built_page import ASSETS, INDEX, BuiltPage, PageFile
from service_kit.errors import NotFound

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "font-src 'self'; connect-src 'self' blob: data:; worker-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page and of all that it loads (a worker has the policy of its own file)."""
PAGE_ROUTES: Final = (
    "/",
    "/analyses/{analysis_id}",
    "/worklist",
    "/compare/{baseline}/{followup}",
    "/models",
    "/models/{name}",
)
"""Paths that the page's own router understands."""
_HEADERS: Final = {
    "Content-Security-Policy": PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Vary": "Accept-Encoding",
}
_NEW_NAME_IF_CHANGED: Final = "public, max-age=31536000, immutable"
_ASK_EACH_TIME: Final = "no-cache"
_METHODS: Final = ["GET", "HEAD"]
_NOT_BUILT: Final = (
    "The page was not built into this gateway: run `make web` and start it again. /docs shows the API, which is there."
)


def create_router(page: BuiltPage, threads: Executor) -> APIRouter:
    """`PAGE_ROUTES` and the files of the built page. Goes after all other routers."""
    router = APIRouter(include_in_schema=False)

    async def answer(request: Request, name: str) -> Response:
        file = page.at_hand(name)
        if file is None:
            file = await asyncio.get_running_loop().run_in_executor(threads, page.read, name)
        if file is None:
            raise NotFound("The page has no such file." if page.names else _NOT_BUILT)
        return _answer(request, file, _NEW_NAME_IF_CHANGED if name.startswith(f"{ASSETS}/") else _ASK_EACH_TIME)

    async def index(request: Request) -> Response:
        return await answer(request, INDEX)

    async def named(request: Request) -> Response:
        return await answer(request, request.scope["path"].removeprefix("/"))

    for path in PAGE_ROUTES:
        router.add_api_route(path, index, methods=_METHODS)
    for top in sorted({name.partition("/")[0] for name in page.names} - {INDEX}):
        router.add_api_route(f"/{top}" if top in page.names else f"/{top}/{{path:path}}", named, methods=_METHODS)
    return router


def _answer(request: Request, file: PageFile, cache: str) -> Response:
    gzipped = file.gzipped if _takes_gzip(request.headers.get("accept-encoding", "")) else None
    headers = {**_HEADERS, "Cache-Control": cache, "ETag": f'"{file.digest}{"" if gzipped is None else "-gzip"}"'}
    known = request.headers.get("if-none-match")
    if known is not None and (known.strip() == "*" or file.digest in known):
        return Response(status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    if gzipped is not None:
        headers["Content-Encoding"] = "gzip"
    content = file.content if gzipped is None else gzipped
    headers["Content-Length"] = str(len(content))
    return Response(b"" if request.method == "HEAD" else content, media_type=file.media_type, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Whether `Accept-Encoding` (RFC 9110) names gzip, or anything, with a weight that is not 0."""
    weights = {}
    for item in accepted.split(","):
        coding, *parameters = (part.strip().lower() for part in item.split(";"))
        weights[coding] = not any(_is_zero(parameter) for parameter in parameters)
    return weights.get("gzip", weights.get("*", False))


def _is_zero(parameter: str) -> bool:
    name, _, weight = parameter.partition("=")
    return name.strip() == "q" and weight.strip().strip("0") in {"", "."}
