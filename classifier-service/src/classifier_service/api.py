"""The classifier over HTTP: arrays in, arrays and a result out. Nothing is decided here."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from classifier_service.errors import TaskNotServed
from classifier_service.examples import TUMOR_EXAMPLE, VIEW_EXAMPLE
from classifier_service.tumor import TumorClassifier
from classifier_service.view import ViewClassifier
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
from service_kit.inference.manifest import VIEW_FEATURES
from service_kit.inference.pixels import refuse_others, take_pixels, take_vector
from service_kit.inference.served import StageModels
from service_kit.problems import declare
from service_kit.tensors import encode
from service_kit.wire import EnvelopeResponse, envelope_answer, envelope_body, read_envelope

PICTURE_AXES = ("rows", "columns")
_PROBLEMS = declare(
    InvalidRequest,
    UnsupportedMedia,
    PayloadTooLarge,
    TaskNotServed,
    Overloaded,
    NotReady,
    DeadlineExceeded,
    InferenceFailed,
)

_VIEW_ANSWER = "Array `features` float32 [128] where the model has them; result ViewResult."

ModelName = Annotated[str | None, Query(description="another published model of this stage, by its name")]


def create_router(
    view: ViewClassifier | None, tumor: TumorClassifier | None, models: tuple[StageModels, ...]
) -> APIRouter:
    """The routes of an instance. A task that it does not serve is None and answers 404, saying what to set."""
    router = APIRouter(prefix="/v1", tags=["classifier"])

    @router.post(
        "/view-classifications",
        summary="Classify the plane of a slice",
        response_class=EnvelopeResponse,
        responses={**_PROBLEMS, **envelope_answer(_VIEW_ANSWER, VIEW_EXAMPLE)},
        openapi_extra=envelope_body("Array `image` uint8 or float32 [rows, columns], in the picture's own grid."),
    )
    async def classify_view(request: Request, model: ModelName = None) -> EnvelopeResponse:
        """The plane (axial, coronal, sagittal), calibrated, and the features that the tumor call wants."""
        if view is None:
            raise TaskNotServed("this instance does not serve the view: add view to CLASSIFIER_TASKS", stage="view")
        envelope = await read_envelope(request)
        refuse_others(envelope, ("image",))
        finding = await view.classify(take_pixels(envelope, "image", PICTURE_AXES), model)
        arrays = {} if finding.features is None else {"features": finding.features}
        return EnvelopeResponse(encode(arrays, finding.result))

    @router.post(
        "/tumor-classifications",
        summary="Classify the tumor on a slice",
        response_class=EnvelopeResponse,
        responses={
            **_PROBLEMS,
            **envelope_answer(
                "Array `heatmap` float32 [h, w] in 0..1 where it was asked for and the model gives one; "
                "result TumorResult.",
                TUMOR_EXAMPLE,
            ),
        },
        openapi_extra=envelope_body(
            "Arrays `image` uint8 or float32 [rows, columns], and for a model that reads them (`features_of` in the "
            "list of models) `view_features` float32 [128] as the view call gave them for the same picture."
        ),
    )
    async def classify_tumor(
        request: Request,
        heatmap: Annotated[bool, Query(description="answer with the map of the evidence too")] = False,
        model: ModelName = None,
        features_of: Annotated[
            str | None, Query(description="the view model that gave the features, or whose variant did")
        ] = None,
    ) -> EnvelopeResponse:
        """The tumor's type, calibrated, with the conformal prediction set, which may be empty."""
        if tumor is None:
            raise TaskNotServed("this instance does not serve the tumor: add tumor to CLASSIFIER_TASKS", stage="tumor")
        envelope = await read_envelope(request)
        refuse_others(envelope, ("image", VIEW_FEATURES))
        pixels = take_pixels(envelope, "image", PICTURE_AXES)
        length = tumor.reads_of(model, given_by=features_of)
        features = None if length is None else take_vector(envelope, VIEW_FEATURES, length)
        finding = await tumor.classify(pixels, features, heatmap=heatmap, model=model)
        arrays = {} if finding.heatmap is None else {"heatmap": finding.heatmap}
        return EnvelopeResponse(encode(arrays, finding.result))

    @router.get("/models", summary="List the models served", responses=declare(NotReady))
    async def list_models() -> ServedModels:
        """The models of this instance, with the provider asked for and the one in use."""
        return ServedModels(models=tuple(model for stage in models for model in stage.describe()))

    return router
