"""The files of an analysis: rendered when they are first asked for, then kept with it."""

import asyncio
import hashlib
from concurrent.futures import Executor

from fastapi import APIRouter, Request, Response
from starlette.status import HTTP_304_NOT_MODIFIED

from gateway.api.documentation import binary_answer
from gateway.artifacts import MEDIA_TYPES, available
from gateway.findings import Findings
from gateway.ports import AnalysisStore
from gateway.rendering import render
from service_kit.errors import NotFound, NotReady
from service_kit.problems import declare

# What a hospital keeps of a patient belongs into no shared cache; an erased analysis is not shown from a private one.
_CACHE = "private, no-cache"
_REPORT_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_TYPES = sorted({media_type.partition(";")[0] for media_type in MEDIA_TYPES.values()})


def create_router(store: AnalysisStore, threads: Executor) -> APIRouter:
    """`GET /v1/analyses/{analysis_id}/{artifact}`."""
    router = APIRouter(prefix="/v1/analyses", tags=["analyses"])

    @router.get(
        "/{analysis_id}/{artifact}",
        summary="Get a file of an analysis",
        description=f"One of {', '.join(MEDIA_TYPES)}; `links` of the analysis names those that there are.",
        response_class=Response,
        responses={**declare(NotFound, NotReady), **binary_answer("The file", *_TYPES)},
    )
    async def get_artifact(analysis_id: str, artifact: str, request: Request) -> Response:
        cached = await store.artifact(analysis_id, artifact) if artifact in MEDIA_TYPES else None
        content = cached or await _rendered(analysis_id, artifact)
        return _answer(artifact, content, request.headers.get("if-none-match"))

    async def _rendered(analysis_id: str, artifact: str) -> bytes:
        findings = await store.findings(analysis_id)
        _check(artifact, findings)
        content = await asyncio.get_running_loop().run_in_executor(threads, render, artifact, findings)
        await store.keep_artifact(analysis_id, artifact, content)
        return content

    return router


def _check(artifact: str, findings: Findings) -> None:
    outlined, mapped = findings.mask is not None, findings.saliency is not None
    names = available(outlined=outlined, mapped=mapped)
    if artifact in names:
        return
    listing = f"There are: {', '.join(names)}."
    if artifact not in MEDIA_TYPES:
        raise NotFound(f"No such artifact. {listing}")
    if artifact == "heatmap.png":
        tumor = findings.analysis.tumor
        why = [warning for warning in tumor.warnings if "heat map" in warning] if tumor else []
        if why:
            raise NotFound(f"{why[0]} {listing}")
        raise NotFound(f"No heat map was asked for: send the option heatmap true. {listing}")
    if findings.analysis.problem is not None and findings.analysis.timings_ms.segmentation is not None:
        raise NotFound(f"Nothing was outlined, as the segmenter gave no answer. {listing}")
    raise NotFound(f"Nothing was outlined: no tumor was likely, or the option segment said never. {listing}")


def _answer(artifact: str, content: bytes, known_tags: str | None) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": _CACHE}
    if artifact == "report.html":
        headers["Content-Security-Policy"] = _REPORT_POLICY
    if known_tags is not None and (known_tags.strip() == "*" or tag in known_tags):
        return Response(status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(content, media_type=MEDIA_TYPES[artifact], headers=headers)
