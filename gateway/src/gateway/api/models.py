"""Which models are served, and what is known of each."""

from fastapi import APIRouter

from gateway.catalog import ModelCatalog
from gateway.schemas import ModelDetail, ModelList
from service_kit.errors import NotFound, NotReady
from service_kit.problems import declare


def create_router(catalog: ModelCatalog) -> APIRouter:
    """The routes under /v1/models."""
    router = APIRouter(prefix="/v1/models", tags=["models"])

    @router.get("", summary="List the models of all services")
    async def list_models() -> ModelList:
        """Names, versions, hashes, the provider asked for and the one in use. A service that is down is listed as
        unavailable.
        """
        return await catalog.list()

    @router.get("/{name}", summary="Get a model and its card", responses=declare(NotFound, NotReady))
    async def get_model(name: str) -> ModelDetail:
        """`card` is null where the gateway has no model repository at hand."""
        return await catalog.detail(name)

    return router
