"""The files of an analysis: rendered when they are first asked for, then kept with it."""

import asyncio
from concurrent.futures import Executor
from typing import Protocol

from fastapi import APIRouter, Request, Response

from gateway.api.documentation import binary_answer
from gateway.api.file_answer import file_answer
from gateway.artifacts import MEDIA_TYPES, available, volume_available
from gateway.findings import Findings
from gateway.rendering import render
from gateway.volume_findings import VolumeFindings
from service_kit.errors import NotFound, NotReady
from service_kit.problems import declare

_REPORT_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_TYPES = sorted({media_type.partition(";")[0] for media_type in MEDIA_TYPES.values()})
_INSTEAD = {
    "mask.png": "mask.png is of single slices: a volume's mask is mask.nii.gz.",
    "mask.nii.gz": "mask.nii.gz is of volumes: a slice's mask is mask.png.",
}


class ArtifactStore(Protocol):
    """A store, as far as it is needed here; `gateway.ports.AnalysisStore` is one."""

    async def findings(self, analysis_id: str) -> Findings | VolumeFindings:
        """The analysis with its arrays. Raises `NotFound`."""

    async def artifact(self, analysis_id: str, name: str) -> bytes | None:
        """A rendered artifact, None when it was not rendered yet. Raises `NotFound`."""

    async def keep_artifact(self, analysis_id: str, name: str, content: bytes) -> None:
        """Cache a rendered artifact with its analysis."""


def create_router(store: ArtifactStore, threads: Executor) -> APIRouter:
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


def _check(artifact: str, findings: Findings | VolumeFindings) -> None:
    volume = isinstance(findings, VolumeFindings)
    outlined = (findings.labels if isinstance(findings, VolumeFindings) else findings.mask) is not None
    mapped = findings.saliency is not None
    names = (volume_available if volume else available)(outlined=outlined, mapped=mapped)
    if artifact in names:
        return
    listing = f"There are: {', '.join(names)}."
    if artifact not in MEDIA_TYPES:
        raise NotFound(f"No such artifact. {listing}")
    if artifact == ("mask.png" if volume else "mask.nii.gz"):
        raise NotFound(f"{_INSTEAD[artifact]} {listing}")
    analysis = findings.analysis
    if artifact in {"heatmap.png", "saliency.png"}:
        why = [warning for warning in analysis.tumor.warnings if "heat map" in warning] if analysis.tumor else []
        raise NotFound(f"{why[0] if why else 'No heat map was asked for: send the option heatmap true.'} {listing}")
    if analysis.problem is not None and analysis.timings_ms.segmentation is not None:
        raise NotFound(f"Nothing was outlined, as the segmenter gave no answer. {listing}")
    raise NotFound(f"Nothing was outlined: no tumor was likely, or the option segment said never. {listing}")


def _answer(artifact: str, content: bytes, known_tags: str | None) -> Response:
    headers = {"Content-Security-Policy": _REPORT_POLICY} if artifact == "report.html" else {}
    return file_answer(content, MEDIA_TYPES[artifact], known_tags, headers)
