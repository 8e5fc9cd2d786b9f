"""What readers say of an analysis."""

from typing import Final

from fastapi import APIRouter, Request, Response

from gateway.api.documentation import json_answer, json_body
from gateway.api.json_body import JSON, read_model
from gateway.errors import AnalysisNotFinished, InvalidReview, NotReviewable
from gateway.ports import Reviews
from gateway.review_schemas import ReviewRequest
from gateway.reviews import MAX_REVIEWS, review_now
from gateway.schemas import Analysis
from service_kit.errors import NotFound, NotReady, PayloadTooLarge, UnsupportedMedia
from service_kit.problems import declare

_MAX_BYTES: Final = 32 * 1024
_EXAMPLE: Final = {"decision": "corrected", "label": "meningioma", "comment": "Dural tail.", "reviewer": "Reader 2"}


def create_router(reviews: Reviews) -> APIRouter:
    """`POST /v1/analyses/{analysis_id}/review`."""
    router = APIRouter(prefix="/v1/analyses", tags=["analyses"])

    @router.post(
        "/{analysis_id}/review",
        summary="Say what a reader thinks of the answer",
        description="Appended to `reviews` of the analysis and shown in its reports; verdict and findings stay as they "
        f"are. Nothing is taken back: say it anew. At most {MAX_REVIEWS}; kept as long as the analysis is.",
        response_class=Response,
        responses={
            **declare(
                NotFound, AnalysisNotFinished, NotReviewable, InvalidReview, UnsupportedMedia, PayloadTooLarge, NotReady
            ),
            **json_answer(Analysis, "The analysis with its reviews"),
        },
        openapi_extra=json_body(ReviewRequest, _EXAMPLE),
    )
    async def review_analysis(analysis_id: str, request: Request) -> Response:
        asked = await read_model(request, ReviewRequest, max_bytes=_MAX_BYTES, refusal=InvalidReview)
        return Response(await reviews.add(analysis_id, review_now(asked)), media_type=JSON)

    return router
