"""The page that shows the API, from this server alone: nothing is loaded from elsewhere."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

ASSETS_PATH = "/docs/assets"
_NO_ICON = "data:,"
# Swagger UI's starter is an inline script, and it draws its icons from data URLs.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)


def create_router(title: str) -> APIRouter:
    """`/docs`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        page = get_swagger_ui_html(
            openapi_url=request.app.openapi_url,
            title=title,
            swagger_js_url=f"{ASSETS_PATH}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS_PATH}/swagger-ui.css",
            swagger_favicon_url=_NO_ICON,
        )
        page.headers["Content-Security-Policy"] = _POLICY
        return page

    return router


def assets() -> Mount:
    """Swagger UI's files, as the package fastapi-offline carries them."""
    return Mount(ASSETS_PATH, StaticFiles(directory=Path(str(files("fastapi_offline"))) / "static"))
