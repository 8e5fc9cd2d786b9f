"""Two analyses against each other."""

import asyncio

from fastapi import APIRouter

from gateway.comparison import compare
from gateway.comparison_schemas import Comparison, ComparisonRequest
from gateway.errors import AnalysisNotFinished, NotComparable
from gateway.ports import AnalysisStore
from gateway.schemas import Analysis
from service_kit.errors import InvalidRequest, NotFound, NotReady
from service_kit.problems import declare


def create_router(store: AnalysisStore) -> APIRouter:
    """`POST /v1/comparisons`."""
    router = APIRouter(prefix="/v1/comparisons", tags=["comparisons"])

    async def read(analysis_id: str, name: str) -> Analysis:
        try:
            return Analysis.model_validate_json(await store.document(analysis_id))
        except NotFound as error:
            raise NotFound(f"{name}: there is no such analysis, or it has expired or was erased.") from error

    @router.post(
        "",
        summary="Compare two analyses of one patient",
        responses=declare(NotFound, AnalysisNotFinished, InvalidRequest, NotComparable, NotReady),
    )
    async def compare_analyses(request: ComparisonRequest) -> Comparison:
        """Change of volume, products and diameters, with intervals, and what RANO would call the change alone.

        **Not a diagnosis**: `statement` says what else an assessment needs. Nothing is stored.
        """
        baseline, followup = await asyncio.gather(
            read(request.baseline, "baseline"), read(request.followup, "followup")
        )
        return compare(baseline, followup, tolerance_percent=request.tolerance_percent)

    return router
