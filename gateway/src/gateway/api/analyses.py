"""Create, get, list, cancel and erase analyses."""

import contextlib
import json
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from gateway.api.documentation import IDEMPOTENCY_HEADER, form_body, json_answer
from gateway.api.intake import Intake, Submission
from gateway.artifacts import analysis_path
from gateway.errors import (
    AlreadyFinished,
    IdempotencyKeyReused,
    InvalidClinicalRecord,
    InvalidCursor,
    InvalidForm,
    InvalidOptions,
    RequestInProgress,
)
from gateway.imaging import errors as imaging
from gateway.pipeline import Pipeline
from gateway.ports import AnalysisStore, IdempotencyClaim
from gateway.schemas import Analysis, AnalysisList
from gateway.stopwatch import Stopwatch
from service_kit.errors import (
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    NotReady,
    Overloaded,
    PayloadTooLarge,
    UnsupportedMedia,
    UpstreamFailed,
)
from service_kit.problems import declare

_JSON = "application/json"
_MAX_KEY_LENGTH = 255
REFUSALS = (
    InvalidRequest,
    InvalidForm,
    InvalidOptions,
    InvalidClinicalRecord,
    UnsupportedMedia,
    PayloadTooLarge,
    imaging.EmptyFile,
    imaging.UnreadableFile,
    imaging.UnsupportedFormat,
    imaging.PictureTooLarge,
    imaging.PictureTooSmall,
    imaging.ColorPicture,
    imaging.BlankPicture,
    imaging.SaturatedPicture,
    imaging.NotMr,
    imaging.NotBrainMri,
)
UPSTREAM = (UpstreamFailed, NotReady, Overloaded, DeadlineExceeded)
_CREATE = """\
A slice is answered at once with 201 and the finished analysis, whatever `Prefer` says: `Prefer: respond-async` is
for volumes. `verdict` is `answer`; or `review` with the reasons why a reader must look first; or `refuse` with the
reasons why the findings add up to no answer. Stages that an analysis can do without (`clinical`, `segmentation`) may
fail: the answer is then partial, `problem` says why."""


def create_router(intake: Intake, pipeline: Pipeline, store: AnalysisStore) -> APIRouter:
    """The routes under /v1/analyses."""
    router = APIRouter(prefix="/v1/analyses", tags=["analyses"])

    @router.post(
        "",
        summary="Analyze a scan",
        description=_CREATE,
        status_code=HTTP_201_CREATED,
        response_class=Response,
        responses={
            **declare(*REFUSALS, RequestInProgress, IdempotencyKeyReused, *UPSTREAM),
            **json_answer(Analysis, "The finished analysis", status=HTTP_201_CREATED, location=True),
        },
        openapi_extra={**form_body(), **IDEMPOTENCY_HEADER},
    )
    async def create_analysis(request: Request) -> Response:
        watch = Stopwatch()
        submission = await intake.read(request)
        idempotency_key = request.headers.get("idempotency-key")
        if idempotency_key is None:
            return await _analyze(submission, None, watch)
        claim = _claim(idempotency_key, request, submission)
        known = await store.claim(claim)
        if known is not None:
            return _created(json.loads(known)["id"], known, replayed=True)
        try:
            return await _analyze(submission, claim, watch)
        except BaseException:
            with contextlib.suppress(NotReady):  # the store is down: the claim ends by itself
                await store.release(claim)
            raise

    async def _analyze(submission: Submission, claim: IdempotencyClaim | None, watch: Stopwatch) -> Response:
        study, file = await intake.decode(submission, watch)
        findings = await pipeline.analyze(study, submission.record, submission.options, watch)
        return _created(findings.analysis.id, await store.save(replace(findings, file=file), claim))

    @router.get(
        "",
        summary="List analyses, newest first",
        response_class=Response,
        responses={**declare(InvalidRequest, InvalidCursor, NotReady), **json_answer(AnalysisList, "A page")},
    )
    async def list_analyses(
        limit: Annotated[int, Query(ge=1, le=100, description="Analyses on a page")] = 20,
        cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")] = None,
    ) -> Response:
        page = await store.page(limit, cursor)
        # The documents are JSON already: they are joined, not read and written again.
        body = b'{"analyses":[%b],"next_cursor":%b}' % (
            b",".join(page.documents),
            json.dumps(page.next_cursor).encode(),
        )
        return Response(body, media_type=_JSON)

    @router.get(
        "/{analysis_id}",
        summary="Get an analysis",
        response_class=Response,
        responses={**declare(NotFound, NotReady), **json_answer(Analysis, "The analysis")},
    )
    async def get_analysis(analysis_id: str) -> Response:
        return Response(await store.document(analysis_id), media_type=_JSON)

    @router.delete(
        "/{analysis_id}",
        summary="Erase an analysis and all that is kept of it",
        status_code=HTTP_204_NO_CONTENT,
        response_class=Response,
        responses=declare(NotFound, NotReady),
    )
    async def delete_analysis(analysis_id: str) -> Response:
        await store.delete(analysis_id)
        return Response(status_code=HTTP_204_NO_CONTENT)

    @router.post(
        "/{analysis_id}/cancel",
        summary="Cancel an analysis that is not finished",
        response_class=Response,
        responses={**declare(NotFound, AlreadyFinished, NotReady), **json_answer(Analysis, "The analysis")},
    )
    async def cancel_analysis(analysis_id: str) -> Response:
        state = json.loads(await store.document(analysis_id))["state"]
        raise AlreadyFinished(
            f"The analysis has {state}: only a queued or running one can be canceled. DELETE erases it."
        )

    return router


def _claim(key: str, request: Request, submission: Submission) -> IdempotencyClaim:
    if not 0 < len(key) <= _MAX_KEY_LENGTH:
        raise InvalidRequest(f"Idempotency-Key: 1 to {_MAX_KEY_LENGTH} characters are needed.")
    # Two callers who think of the same key do not meet.
    return IdempotencyClaim(f"{request.state.principal.name} {key}", submission.fingerprint())


def _created(analysis_id: str, document: bytes, *, replayed: bool = False) -> Response:
    headers = {"Location": analysis_path(analysis_id)}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(document, status_code=HTTP_201_CREATED, media_type=_JSON, headers=headers)
