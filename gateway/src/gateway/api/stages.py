"""One stage alone: nothing is stored."""

import base64

from fastapi import APIRouter, Request, Response

from gateway.analysis import summarize_outline
from gateway.api.analyses import REFUSALS, UPSTREAM
from gateway.api.documentation import form_body, json_answer, json_body
from gateway.api.intake import Intake, Submission
from gateway.api.json_body import read_object
from gateway.api.strict_json import NotStrict
from gateway.door import check_novelty
from gateway.errors import InvalidClinicalRecord
from gateway.explain import Explainer, check_asked
from gateway.imaging.study import Study
from gateway.pipeline import Classifier, Normalizer, Roster, Segmenter
from gateway.reporting.pictures import render_mask
from gateway.schemas import SegmentationAnswer
from gateway.stopwatch import Stopwatch
from gateway.views import Views
from service_kit.contracts.classification import TumorResult, ViewResult
from service_kit.contracts.clinical import ClinicalRecord, ClinicalVector
from service_kit.errors import PayloadTooLarge, UnsupportedMedia
from service_kit.offload import on_pixels
from service_kit.problems import declare

_JSON = "application/json"
_PNG = "image/png"


def create_router(
    intake: Intake,
    classifier: Classifier,
    segmenter: Segmenter,
    normalizer: Normalizer,
    roster: Roster,
    *,
    max_record_bytes: int,
) -> APIRouter:
    """The four stage calls."""
    router = APIRouter(prefix="/v1", tags=["stages"])
    problems = declare(*REFUSALS, *UPSTREAM)
    explainer = Explainer(segmenter, normalizer)

    async def received(request: Request) -> tuple[Submission, Study]:
        submission = await intake.read(request)
        study, _ = await intake.decode(submission, Stopwatch())
        return submission, study

    @router.post(
        "/view-classifications",
        summary="Classify the plane of a slice",
        response_class=Response,
        responses={**problems, **json_answer(ViewResult, "The plane that the model sees")},
        openapi_extra=form_body(record=False),
    )
    async def classify_view(request: Request) -> Response:
        submission, study = await received(request)
        await roster.check(submission.options.models)
        answer = await classifier.classify_view(study.primary, model=submission.options.models.get("view"))
        return _json(ViewResult(view=answer.view, model=answer.model, novelty=answer.novelty))

    @router.post(
        "/tumor-classifications",
        summary="Classify the tumor on a slice",
        response_class=Response,
        responses={**problems, **json_answer(TumorResult, "The tumor's type")},
        openapi_extra=form_body(record=False),
    )
    async def classify_tumor(request: Request) -> Response:
        submission, study = await received(request)
        named = submission.options.models
        await roster.check(named)
        views = Views(classifier, study.primary)
        check_novelty((await views.measuring_novelty(named.get("view"))).novelty)
        features = await views.features(await roster.view_models_of(named.get("tumor")))
        answer = await classifier.classify_tumor(study.primary, features, heatmap=False, model=named.get("tumor"))
        return _json(TumorResult(tumor=answer.tumor, model=answer.model))

    @router.post(
        "/segmentations",
        summary="Outline the tumor on a slice",
        description="JSON with the measures and the mask; or with `Accept: image/png` the mask alone (0 or 255).",
        response_class=Response,
        responses={
            **problems,
            200: {
                **json_answer(SegmentationAnswer, "The outline")[200],
                "content": {_PNG: {"schema": {"type": "string", "format": "binary"}}},
            },
        },
        openapi_extra=form_body(),
    )
    async def segment(request: Request) -> Response:
        submission, study = await received(request)
        await roster.check(submission.options.models, study.sequences.keys())
        record, options = submission.record, submission.options
        check_asked(record, options)
        vector = None if record is None else await normalizer.normalize(record)
        model = options.models.get("segmentation")
        answer = await segmenter.segment(study.sequences, vector, always_read=options.record_always_read, model=model)
        effect = None
        if options.explain_metadata and record is not None:
            effect = await explainer.explain(study, record, answer, model=model)
        mask_png = await on_pixels(1, answer.mask.size, render_mask, answer.mask)
        if _PNG in request.headers.get("accept", ""):
            return Response(mask_png, media_type=_PNG)
        measured = await on_pixels(1, answer.mask.size, summarize_outline, answer, study.spacing_mm)
        encoded = base64.b64encode(mask_png).decode()
        return _json(
            SegmentationAnswer(
                segmentation=measured, metadata_effect=effect, model=answer.result.model, mask_png=encoded
            )
        )

    @router.post(
        "/clinical-vectors",
        summary="Bring a clinical record to the model's vector",
        response_class=Response,
        responses={
            **declare(InvalidClinicalRecord, PayloadTooLarge, UnsupportedMedia, *UPSTREAM),
            **json_answer(ClinicalVector, "The vector, and what was imputed"),
        },
        openapi_extra=json_body(ClinicalRecord, {"age": 61, "sex": "female"}),
    )
    async def normalize(request: Request) -> Response:
        try:
            record = await read_object(request, max_bytes=max_record_bytes)
        except NotStrict as error:
            raise InvalidClinicalRecord(f"The body is {error}.") from error
        return _json(await normalizer.normalize(record))

    return router


def _json(answer: ViewResult | TumorResult | SegmentationAnswer | ClinicalVector) -> Response:
    return Response(answer.model_dump_json(), media_type=_JSON)
