"""Every folder of the development DICOM files through the gateway's decoder: what it is, or why it is refused.

`python -m tests.bench.dicom_table --data ../shared/data/dicom --output docs/benchmarks` (`make dicom-table`). A folder
is sent as one request of repeated parts; where its files are not of one series, each file is sent by itself too. Each
request is decoded in a process of its own, which is ended when it takes too long. Exits 1 when one hung or crashed.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

import pydicom
from pydicom.errors import InvalidDicomError

from gateway.imaging.decode import decode_input
from gateway.imaging.part import Part
from gateway.imaging.study import Study
from gateway.imaging.volume import VolumeStudy
from service_kit.errors import InvalidRequest

Decode = Callable[[Sequence[Part]], Study | VolumeStudy]
LIMIT_S = 60.0
_PAGE = "dicom.md"


@dataclass(frozen=True, slots=True)
class Request:
    """Files that are sent together, and what the table calls them: a folder, or a file in it."""

    name: str
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request; `found` describes it or gives the reason, `warnings` counts what is said of it."""

    state: Literal["decoded", "refused", "crashed", "hung"]
    found: str
    seconds: float
    code: str = ""
    warnings: int = 0

    @property
    def kept_promise(self) -> bool:
        """Decoded, or refused with a reason."""
        return self.state in {"decoded", "refused"}


def requests(root: Path) -> Iterator[Request]:
    """Each folder below `root` with files in it; its files one by one where they are not of one series."""
    folders: dict[Path, list[Path]] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".csv":
            folders.setdefault(path.parent, []).append(path)
    for folder, paths in folders.items():
        name = folder.relative_to(root).as_posix()
        yield Request(name, tuple(paths))
        if len({_series(path) for path in paths}) > 1:
            yield from (Request(f"{name}/{path.name}", (path,)) for path in paths)


def _series(path: Path) -> str | Path:
    """The series' identifier; the file's own path where its header has none."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SeriesInstanceUID"])
    except (InvalidDicomError, EOFError, OSError, ValueError):
        return path
    return str(header.get("SeriesInstanceUID", "")) or path


def outcome(request: Request, limit_s: float = LIMIT_S, decode: Decode = decode_input) -> Outcome:
    """`decode` the request in a process of its own, which is ended after `limit_s`."""
    # Not `fork`: the decoders' libraries may have threads. Their imports are paid once, by the server of forks.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([decode_input.__module__])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(request.paths, decode, sender), daemon=True)
    process.start()
    sender.close()
    try:
        # What a killed process leaves behind is an end of file.
        if receiver.poll(limit_s):
            received: Outcome = receiver.recv()
            return received
        return Outcome("hung", f"no answer within {limit_s:g} s", limit_s)
    except EOFError:
        process.join()
        return Outcome("crashed", f"the process ended with {process.exitcode}", 0.0)
    finally:
        process.kill()
        process.join()
        receiver.close()


def _tell(paths: Sequence[Path], decode: Decode, sender: "Connection[Outcome, Outcome]") -> None:
    parts = [Part("file", path.name, path.read_bytes()) for path in paths]
    started = time.perf_counter()
    try:
        study = decode(parts)
    except InvalidRequest as error:
        sender.send(Outcome("refused", error.detail, time.perf_counter() - started, code=error.code))
    else:
        seconds = time.perf_counter() - started
        sender.send(Outcome("decoded", described(study), seconds, warnings=len(study.warnings)))


def described(study: Study | VolumeStudy) -> str:
    """Kind, shape, spacing, plane and sequences, of the picture or volume and of nobody."""
    shape: tuple[int, ...] = (study.rows, study.columns) if isinstance(study, Study) else study.grid.shape
    spacing_mm: tuple[float, ...] | None = study.spacing_mm if isinstance(study, Study) else study.grid.spacing_mm
    size = " x ".join(str(side) for side in shape)
    distance = " x ".join(f"{step:.3g}" for step in spacing_mm) + " mm" if spacing_mm else "spacing unknown"
    return f"{study.kind}, {size}, {distance}, {study.view or 'plane unknown'}, {', '.join(study.sequences)}"


def markdown(rows: Sequence[tuple[Request, Outcome]]) -> str:
    """The page."""
    counts = {state: sum(one.state == state for _, one in rows) for state in ("decoded", "refused", "crashed", "hung")}
    slowest = max(one.seconds for _, one in rows)
    lines = [
        "# Real DICOM files",
        "",
        "Written by `make dicom-table`. Each folder of the development data as one request of repeated parts; where",
        "its files are not of one series, each file by itself too. The sequence is the one that the header names, else",
        "the default, which is a warning. Each request is decoded in a new process on a shared machine: the seconds",
        "hold the loading of the decoder's library.",
        f"Of {len(rows)} requests {counts['decoded']} were decoded, {counts['refused']} refused with a reason, "
        f"{counts['crashed']} crashed, {counts['hung']} hung. Slowest: {slowest:.1f} s.",
        "",
        "| folder, or file | files | outcome | what it is, or the reason | warnings | s |",
        "|---|---:|---|---|---:|---:|",
    ]
    for request, one in rows:
        state = f"{one.state} `{one.code}`" if one.code else one.state
        found = " ".join(one.found.replace("|", "/").split())
        count = len(request.paths)
        lines.append(f"| {request.name} | {count} | {state} | {found} | {one.warnings} | {one.seconds:.2f} |")
    return "\n".join([*lines, ""])


def main() -> int:
    """Write `dicom.md`; 1 when a request hung or crashed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of DICOM folders")
    parser.add_argument("--output", type=Path, required=True, help=f"folder for {_PAGE}")
    asked = parser.parse_args()
    rows = [(request, outcome(request)) for request in requests(asked.data)]
    if not rows:
        parser.error(f"there is no file below {asked.data}")
    page = markdown(rows)
    asked.output.mkdir(parents=True, exist_ok=True)
    (asked.output / _PAGE).write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return int(not all(one.kept_promise for _, one in rows))


if __name__ == "__main__":
    sys.exit(main())
