"""The sequences of a volume as files, for viewers that show volumes themselves."""

import asyncio
from concurrent.futures import Executor
from typing import Final

from fastapi import APIRouter, Request, Response

from gateway.api.documentation import binary_answer
from gateway.api.file_answer import file_answer
from gateway.api.volumes import find_sequence, find_volume
from gateway.recent import RecentVolumes
from gateway.reporting.volume_nifti import encode_shown
from service_kit.errors import NotFound, NotReady
from service_kit.problems import declare

_NIFTI: Final = "application/gzip"
_ONE = """\
The sequence as NIfTI-1 with uint8 display values, which are those of its slices, on the grid and with the affine of
mask.nii.gz. `sequences` of `GET .../slices` names those that there are."""


def create_router(volumes: RecentVolumes, threads: Executor) -> APIRouter:
    """`GET /v1/analyses/{analysis_id}/sequences/{sequence}.nii.gz`."""
    router = APIRouter(prefix="/v1/analyses/{analysis_id}/sequences", tags=["analyses"])

    @router.get(
        "/{sequence}.nii.gz",
        summary="Get one sequence of a volume",
        description=_ONE,
        response_class=Response,
        responses={**declare(NotFound, NotReady), **binary_answer("The volume", _NIFTI)},
    )
    async def get_sequence(analysis_id: str, sequence: str, request: Request) -> Response:
        findings = await find_volume(volumes, analysis_id)
        picture = findings.pictures[find_sequence(findings, sequence)]
        content = await asyncio.get_running_loop().run_in_executor(threads, encode_shown, picture, findings.grid)
        return file_answer(content, _NIFTI, request.headers.get("if-none-match"))

    return router
