"""`neurogate analyze`: studies one after the other, watched, printed, and saved."""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.text import Text

from neurogate.client import GatewayClient
from neurogate.display import analysis_panel
from neurogate.progress_display import ProgressDisplay
from neurogate.refused import Refused, problem_text
from neurogate.study_files import StudyFiles
from neurogate.terminal import ERR, OUT
from neurogate.upload import Upload, prepared

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wanted of each study: the form's fields, whether to wait, and where files go."""

    record: Json | None
    options: Json | None
    wait: bool = True
    save: Path | None = None


class Unanswered(RuntimeError):
    """A study that got no result; the message says why."""


async def analyze_all(client: GatewayClient, studies: Iterable[StudyFiles], wishes: Wishes) -> tuple[int, int]:
    """How many studies there were, and how many of them got no answer."""
    total = unanswered = 0
    with ProgressDisplay(ERR) as display:
        for study in studies:
            total += 1
            try:
                await _analyze_one(client, study, wishes, display)
            except (Refused, Unanswered, OSError) as error:
                unanswered += 1
                # Its bar goes first, and only the words are red: else they share a line with what is drawn again.
                display.done(study.name)
                ERR.print(Text(f"{study.name}: {error}", style="red"), soft_wrap=True)
            finally:
                display.done(study.name)
    return total, unanswered


async def _analyze_one(client: GatewayClient, study: StudyFiles, wishes: Wishes, display: ProgressDisplay) -> None:
    if study.fault is not None:
        raise Unanswered(study.fault)
    display.sending(study.name)
    # A picture is answered at once, also by a gateway that has no worker.
    later = study.kind != "picture" or not wishes.wait
    with prepared(study) as upload:
        analysis = await _sent(client, upload, wishes, later=later)
    if not wishes.wait:
        OUT.print(f"{analysis['id']}  {study.name}", markup=False, highlight=False, soft_wrap=True)
        return
    if analysis["state"] not in {"succeeded", "failed", "canceled"}:
        analysis = await _finished(client, study.name, analysis, display)
    if analysis["state"] != "succeeded":
        problem = analysis["problem"]
        raise Unanswered(problem_text(problem) if problem else f"the analysis was {analysis['state']}")
    written: list[Path] = []
    if wishes.save:
        display.saving(study.name)
        written = await client.download(analysis, wishes.save / folder_name(study.name))
    display.done(study.name)
    OUT.print(analysis_panel(study.name, analysis, written))


async def _sent(client: GatewayClient, upload: Upload, wishes: Wishes, *, later: bool) -> Json:
    return await client.analyze(upload, clinical=wishes.record, options=wishes.options, later=later)


async def _finished(client: GatewayClient, name: str, analysis: Json, display: ProgressDisplay) -> Json:
    """Watch it to its end; who stops watching with Ctrl-C cancels it."""
    try:
        async for progress in client.follow(analysis["id"]):
            display.show(name, progress)
        return await client.read(analysis["id"])
    except asyncio.CancelledError:
        ERR.print(f"{name}: canceling (Ctrl-C again leaves at once)", markup=False, highlight=False)
        with contextlib.suppress(Refused, httpx.TransportError):  # it may be finished, or the gateway gone
            canceled = await client.cancel(analysis["id"])
            ERR.print(f"{name}: {canceled['state']}", markup=False, highlight=False)
        raise


def folder_name(study: str) -> str:
    """A study's name as the name of one folder, without the file's ending."""
    name = study.replace("/", "_")
    for ending in (".nii.gz", ".nii"):
        name = name.removesuffix(ending)
    return Path(name).stem if Path(name).suffix.lower() in _ENDINGS else name


_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".dcm", ".dicom", ".ima", ".zip"})
