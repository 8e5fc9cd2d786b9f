"""The slices of a volume for viewers: a list to make sliders of, and one picture a slice."""

import asyncio
from concurrent.futures import Executor
from functools import partial
from typing import Annotated, Final, get_args

from fastapi import APIRouter, Query, Request, Response

from gateway.api.documentation import binary_answer
from gateway.api.file_answer import file_answer
from gateway.api.volumes import find_sequence, find_volume
from gateway.errors import InvalidSlice
from gateway.recent import RecentVolumes
from gateway.reporting.volume_slices import render_slice
from gateway.slice_listing import SliceListing, list_slices
from gateway.slices import SliceStack
from gateway.volume_findings import VolumeFindings
from service_kit.contracts.classification import ViewLabel
from service_kit.errors import NotFound, NotReady
from service_kit.problems import declare

_PNG: Final = "image/png"
PLANES: Final[tuple[ViewLabel, ...]] = get_args(ViewLabel)
_ONE = """\
Slice `number` of the plane, counted from 0 from left, posterior or inferior, in the radiological convention: one pixel
a voxel, 8-bit gray, the spacing in the PNG's pHYs chunk. With `overlay` RGB with the outline, or with those of its
labels that `labels` names."""
_LABELS = "Names of labels, with commas between them; all without it"


def create_router(volumes: RecentVolumes, threads: Executor) -> APIRouter:
    """`GET /v1/analyses/{analysis_id}/slices` and `.../slices/{plane}/{number}.png`.

    Goes before the router of the artifacts, whose path would take "slices" for one.
    """
    router = APIRouter(prefix="/v1/analyses/{analysis_id}/slices", tags=["analyses"])

    @router.get(
        "",
        summary="List the slices of a volume",
        description="How many slices each plane has, their size and spacing, and how much of the outline each holds.",
        responses=declare(NotFound, NotReady),
    )
    async def get_slices(analysis_id: str) -> SliceListing:
        findings = await find_volume(volumes, analysis_id)
        return await asyncio.get_running_loop().run_in_executor(threads, list_slices, findings)

    @router.get(
        "/{plane}/{number}.png",
        summary="Get one slice of a volume",
        description=_ONE,
        response_class=Response,
        responses={**declare(NotFound, InvalidSlice, NotReady), **binary_answer("The slice", _PNG)},
    )
    async def get_slice(
        analysis_id: str,
        plane: str,
        number: str,
        request: Request,
        overlay: Annotated[bool, Query(description="Draw the outline")] = False,
        sequence: Annotated[str | None, Query(description="Without it the one that was classified")] = None,
        labels: Annotated[str | None, Query(description=_LABELS, max_length=400)] = None,
    ) -> Response:
        findings = await find_volume(volumes, analysis_id)
        known_plane = _plane(plane)
        draw = partial(
            render_slice,
            findings,
            known_plane,
            _index(findings, known_plane, number),
            sequence=findings.primary if sequence is None else find_sequence(findings, sequence),
            shown=_shown(findings, labels, overlay=overlay),
        )
        content = await asyncio.get_running_loop().run_in_executor(threads, draw)
        return file_answer(content, _PNG, request.headers.get("if-none-match"))

    return router


def _plane(name: str) -> ViewLabel:
    for plane in PLANES:
        if plane == name:
            return plane
    raise NotFound(f"No such plane. There are: {', '.join(PLANES)}.")


def _index(findings: VolumeFindings, plane: ViewLabel, number: str) -> int:
    count = SliceStack(findings.grid, plane).shape[0]
    index = int(number) if number.isascii() and number.isdecimal() and len(number) <= 9 else -1
    if not 0 <= index < count:
        raise NotFound(f"No such slice. The {plane} ones are 0 to {count - 1}.")
    return index


def _shown(findings: VolumeFindings, labels: str | None, *, overlay: bool) -> frozenset[str] | None:
    if not overlay:
        if labels is not None:
            raise InvalidSlice("labels: says what is drawn with overlay=true; add it, or leave labels out.")
        return None
    if findings.labels is None:
        raise NotFound("Nothing was outlined: ask with overlay=false.")
    names = frozenset(findings.names.values())
    wanted = names if labels is None else frozenset(name.strip() for name in labels.split(","))
    if unknown := wanted - names:
        raise InvalidSlice(f"labels: {len(unknown)} of them are not in this outline. There are: {_joined(names)}.")
    return wanted


def _joined(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
