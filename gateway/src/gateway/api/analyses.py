"""Create, get, list, cancel and erase analyses."""

import json
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from gateway.analysis_filter import MAX_SCANNED, AnalysisFilter, InputKind
from gateway.api.acceptance import Acceptance, prefers_async
from gateway.api.answers import JSON, created, replay
from gateway.api.documentation import CREATE_HEADERS, accepted_answer, form_body, json_answer
from gateway.api.idempotency import claim_of, holding
from gateway.api.intake import Intake, Spooled, Submission
from gateway.errors import (
    AlreadyFinished,
    IdempotencyKeyReused,
    InvalidClinicalRecord,
    InvalidCursor,
    InvalidForm,
    InvalidOptions,
    InvalidWebhook,
    QueueFull,
    RequestInProgress,
)
from gateway.findings import BareFile
from gateway.imaging import errors as imaging
from gateway.imaging.study import Study
from gateway.pipeline import Pipeline
from gateway.ports import AnalysisStore, IdempotencyClaim, JobQueue, Webhooks
from gateway.recent import RecentVolumes
from gateway.schemas import ANALYSIS_EXAMPLE, Analysis, AnalysisList, AnalysisState, Verdict
from gateway.stopwatch import Stopwatch
from service_kit.contracts.classification import TumorLabel
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
A slice is answered at once with 201 and the finished analysis. A series or a volume (several files `file`, a zip,
NIfTI) becomes a job: 202, the analysis in state `queued`, and in `Location` where to read it. So does a slice with
`Prefer: respond-async`. `options.priority` and `options.webhook` are for jobs.
`verdict` is `answer`; or `review` with the reasons why a reader must look first; or `refuse` with the reasons why the
findings add up to no answer. Stages that an analysis can do without (`clinical`, `segmentation`) may
fail: the answer is then partial, `problem` says why."""

_LIST = f"""\
Filters are joined by "and". With one, a request looks at {MAX_SCANNED} analyses at most: a page may then hold fewer
than `limit`, even none, and have a `next_cursor` all the same. Go on until there is none."""
_LABEL = "Those whose label is this one: the correction in the last review, else that of the models"
_NO_FILTER = AnalysisFilter()


def create_router(
    intake: Intake,
    pipeline: Pipeline,
    store: AnalysisStore,
    queue: JobQueue,
    webhooks: Webhooks,
    recent: RecentVolumes,
) -> APIRouter:
    """The routes under /v1/analyses that make, show and end analyses. `recent` forgets those that are erased."""
    router = APIRouter(prefix="/v1/analyses", tags=["analyses"])
    acceptance = Acceptance(intake, pipeline, store, queue, webhooks)

    @router.post(
        "",
        summary="Analyze a scan",
        description=_CREATE,
        status_code=HTTP_201_CREATED,
        response_class=Response,
        responses={
            **declare(*REFUSALS, InvalidWebhook, RequestInProgress, IdempotencyKeyReused, QueueFull, *UPSTREAM),
            **json_answer(Analysis, "The finished analysis", status=HTTP_201_CREATED, location=True),
            **accepted_answer(Analysis, ANALYSIS_EXAMPLE),
        },
        openapi_extra={**form_body(), **CREATE_HEADERS},
    )
    async def create_analysis(request: Request) -> Response:
        if prefers_async(request.headers):
            return await acceptance.enqueue(request)
        watch = Stopwatch()
        submission = await intake.receive(request)
        if isinstance(submission, Spooled):
            return await acceptance.accept(request, submission)
        if submission.options.webhook is not None:
            raise InvalidWebhook("webhook: only a job calls back: send the header `Prefer: respond-async` too.")
        claim = claim_of(request, submission.fingerprint)
        async with holding(store, claim) as held:
            if held.known is not None:
                return replay(held.known)
            study, file = await intake.decode_any(submission, watch)
            if isinstance(study, Study):
                return await _analyze(study, file, submission, claim, watch)
            # A small multi-frame file: what it is was not to be seen from its first bytes.
            return await acceptance.accept_held(await intake.respool(submission), claim, held)

    async def _analyze(
        study: Study, file: BareFile | None, submission: Submission, claim: IdempotencyClaim | None, watch: Stopwatch
    ) -> Response:
        findings = await pipeline.analyze(study, submission.record, submission.options, watch)
        return created(findings.analysis.id, await store.save(replace(findings, file=file), claim))

    @router.get(
        "",
        summary="List analyses, newest first",
        response_class=Response,
        description=_LIST,
        responses={**declare(InvalidRequest, InvalidCursor, NotReady), **json_answer(AnalysisList, "A page")},
    )
    async def list_analyses(
        limit: Annotated[int, Query(ge=1, le=100, description="Analyses on a page")] = 20,
        cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")] = None,
        state: Annotated[AnalysisState | None, Query(description="Those in this state")] = None,
        verdict: Annotated[Verdict | None, Query(description="Those with this verdict")] = None,
        label: Annotated[TumorLabel | None, Query(description=_LABEL)] = None,
        kind: Annotated[InputKind | None, Query(description="Those of such an input")] = None,
        q: Annotated[str, Query(max_length=100, description="Part of an id or of a file's SHA-256")] = "",
    ) -> Response:
        asked = AnalysisFilter(state, verdict, label, kind, q.strip().lower() or None)
        page = await store.page(limit, cursor, None if asked == _NO_FILTER else asked)
        # The documents are JSON already: they are joined, not read and written again.
        body = b'{"analyses":[%b],"next_cursor":%b}' % (
            b",".join(page.documents),
            json.dumps(page.next_cursor).encode(),
        )
        return Response(body, media_type=JSON)

    @router.get(
        "/{analysis_id}",
        summary="Get an analysis",
        response_class=Response,
        responses={**declare(NotFound, NotReady), **json_answer(Analysis, "The analysis")},
    )
    async def get_analysis(analysis_id: str) -> Response:
        return Response(await store.document(analysis_id), media_type=JSON)

    @router.delete(
        "/{analysis_id}",
        summary="Erase an analysis and all that is kept of it",
        description="In any state: one that waits or runs is canceled by it.",
        status_code=HTTP_204_NO_CONTENT,
        response_class=Response,
        responses=declare(NotFound, NotReady),
    )
    async def delete_analysis(analysis_id: str) -> Response:
        await store.delete(analysis_id)
        recent.forget(analysis_id)
        await intake.discard(analysis_id)
        return Response(status_code=HTTP_204_NO_CONTENT)

    @router.post(
        "/{analysis_id}/cancel",
        summary="Cancel an analysis that is not finished",
        description="It is canceled when this answers, and can be read until it expires; its uploads are erased.",
        response_class=Response,
        responses={**declare(NotFound, AlreadyFinished, NotReady), **json_answer(Analysis, "The analysis")},
    )
    async def cancel_analysis(analysis_id: str) -> Response:
        document = await queue.cancel(analysis_id)
        await intake.discard(analysis_id)
        return Response(document, media_type=JSON)

    return router
