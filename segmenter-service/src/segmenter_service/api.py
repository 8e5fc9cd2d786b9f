"""The segmenter over HTTP: sequences in, a mask and a result out. Nothing is decided here."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from segmenter_service.clinical import ARRAY, read_features
from segmenter_service.segmenter import Segmenter
from segmenter_service.stack import SEQUENCES, read_stack
from service_kit.contracts.common import ModelRef
from service_kit.contracts.models import ServedModels
from service_kit.contracts.segmentation import SegmentationResult
from service_kit.errors import (
    DeadlineExceeded,
    InferenceFailed,
    InvalidRequest,
    NotReady,
    Overloaded,
    PayloadTooLarge,
    UnsupportedMedia,
)
from service_kit.inference.pixels import refuse_others
from service_kit.inference.preprocessing import Pixels
from service_kit.inference.served import StageModels
from service_kit.problems import declare
from service_kit.tensors import encode
from service_kit.wire import EnvelopeResponse, envelope_answer, envelope_body, read_envelope

EXAMPLE = SegmentationResult(
    labels={"tumor": 2210},
    sequences=("t1", "flair", "t1ce"),
    substituted={"t1": "flair"},
    clinical_used=True,
    model=ModelRef(
        stage="segmentation",
        name="seg-flair-film",
        version="1",
        sha256="0" * 64,
        backend="onnxruntime",
        provider="CPUExecutionProvider",
        precision="fp32",
    ),
)

_BODY = """\
Arrays by sequence, `t1`, `t1ce`, `t2`, `flair`: each uint8 or float32 [slices, rows, columns], all of one shape.
Optionally `clinical` float32 [K] with the metadata `clinical_features`, a JSON list of its names.
Metadata `clinical_use` = `always` hands the vector to a model that reads it only when asked; else `auto`.
Metadata `return_probabilities` = `true` asks for the probabilities too."""
_ANSWER = """\
Array `mask` uint8 [slices, rows, columns] of 0 and 1 in the input's grid; `probabilities` float32 of the same shape
where asked for; result SegmentationResult."""


def create_router(
    segmenter: Segmenter, models: StageModels, *, max_slices: int, volume_models: StageModels | None = None
) -> APIRouter:
    """The routes of the service."""
    router = APIRouter(prefix="/v1", tags=["segmenter"])

    @router.post(
        "/segmentations",
        summary="Outline the tumor on each slice",
        response_class=EnvelopeResponse,
        responses={
            **declare(
                InvalidRequest,
                UnsupportedMedia,
                PayloadTooLarge,
                Overloaded,
                NotReady,
                DeadlineExceeded,
                InferenceFailed,
            ),
            **envelope_answer(_ANSWER, EXAMPLE),
        },
        openapi_extra=envelope_body(_BODY),
    )
    async def segment(
        request: Request,
        model: Annotated[str | None, Query(description="a published segmentation model, by its name")] = None,
    ) -> EnvelopeResponse:
        """The model follows from the sequences at hand unless one is named; `substituted` says what stood in."""
        envelope = await read_envelope(request)
        refuse_others(envelope, (*SEQUENCES, ARRAY))
        wants_probabilities = envelope.metadata.get("return_probabilities", "false")
        if wants_probabilities not in {"true", "false"}:
            raise InvalidRequest("the metadata return_probabilities is true or false")
        use = envelope.metadata.get("clinical_use", "auto")
        if use not in {"auto", "always"}:
            raise InvalidRequest("the metadata clinical_use is auto or always")
        segmentation = await segmenter.segment(
            read_stack(envelope, max_slices=max_slices),
            read_features(envelope),
            always_read=use == "always",
            model=model,
            return_probabilities=wants_probabilities == "true",
        )
        arrays: dict[str, Pixels] = {"mask": segmentation.mask}
        if segmentation.probabilities is not None:
            arrays["probabilities"] = segmentation.probabilities
        return EnvelopeResponse(encode(arrays, segmentation.result))

    @router.get("/models", summary="List the models served", responses=declare(NotReady))
    async def list_models() -> ServedModels:
        """The models of this instance, with the provider asked for and the one in use."""
        of_volumes = () if volume_models is None else volume_models.describe()
        # The defaults first, whatever they read; else in the order in which they are chosen from.
        return ServedModels(models=tuple(sorted((*models.describe(), *of_volumes), key=lambda one: not one.default)))

    return router
