"""The clinical stage over HTTP. Nothing is decided here."""

from fastapi import APIRouter, Request, Response

from metadata_service.body import check_content_type, parse_object
from metadata_service.errors import LeakingField, UnknownField
from metadata_service.examples import ABLATION, RECORDS, VECTOR
from metadata_service.normalizer import Normalizer
from metadata_service.record import read_record
from metadata_service.schema import ClinicalSchema, describe_schema
from service_kit.contracts.clinical import ClinicalAblation, ClinicalRecord, ClinicalVector
from service_kit.contracts.models import ServedModels
from service_kit.errors import (
    DeadlineExceeded,
    InferenceFailed,
    InvalidRequest,
    NotReady,
    Overloaded,
    PayloadTooLarge,
    UnsupportedMedia,
)
from service_kit.inference.served import StageModels
from service_kit.problems import declare

# FastAPI does not read this body (it would accept NaN), so it is declared by hand.
_BODY = {
    "requestBody": {
        "required": True,
        "description": "A ClinicalRecord; every field is optional. `GET /v1/clinical-schema` lists further names.",
        "content": {"application/json": {"schema": ClinicalRecord.model_json_schema(), "examples": RECORDS}},
    }
}

_PROBLEMS = declare(
    InvalidRequest,
    LeakingField,
    UnknownField,
    UnsupportedMedia,
    PayloadTooLarge,
    Overloaded,
    NotReady,
    DeadlineExceeded,
    InferenceFailed,
)


def create_router(normalizer: Normalizer, models: StageModels) -> APIRouter:
    """The routes of the service."""
    router = APIRouter(prefix="/v1", tags=["metadata"])

    @router.post(
        "/clinical-vectors",
        summary="Bring a clinical record to the model's vector",
        response_model=ClinicalVector,
        responses={
            **_PROBLEMS,
            200: {"content": {"application/json": {"example": VECTOR.model_dump(mode="json")}}},
        },
        openapi_extra=_BODY,
    )
    async def normalize(request: Request) -> Response:
        """What is missing is imputed and named; what leaks the answer, or is not known, is refused."""
        check_content_type(request.headers.get("content-type"))
        vector = await normalizer.normalize(read_record(parse_object(await request.body())))
        return Response(vector.model_dump_json(), media_type="application/json")

    @router.post(
        "/clinical-ablations",
        summary="Leave the fields of a clinical record out, one after the other",
        response_model=ClinicalAblation,
        responses={**_PROBLEMS, 200: {"content": {"application/json": {"example": ABLATION.model_dump(mode="json")}}}},
        openapi_extra=_BODY,
    )
    async def ablate(request: Request) -> Response:
        """The vectors of the record, of an empty one, and of the record without each field that it gives."""
        check_content_type(request.headers.get("content-type"))
        ablation = await normalizer.ablate(read_record(parse_object(await request.body())))
        return Response(ablation.model_dump_json(), media_type="application/json")

    @router.get("/clinical-schema", summary="Describe what a clinical record may hold", responses=declare(NotReady))
    async def get_schema() -> ClinicalSchema:
        """Fields with further names, units, categories and trained range; and what is refused, with the reason."""
        return describe_schema(models.choose(None))

    @router.get("/models", summary="List the models served", responses=declare(NotReady))
    async def list_models() -> ServedModels:
        """The models of this instance, with the provider asked for and the one in use."""
        return ServedModels(models=models.describe())

    return router
