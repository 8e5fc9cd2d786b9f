import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Never

from gateway.imaging.part import Part
from tests.bench.dicom_table import Outcome, Request, markdown, outcome, requests
from tests.unit.gateway_volumes import phantoms
from tests.unit.gateway_volumes.dicom_series import SERIES_UID, series

VOXELS = phantoms.texture((40, 36, 4))


def folder_of(root: Path, name: str, files: Sequence[bytes]) -> Request:
    folder = root / name
    folder.mkdir()
    paths = tuple(folder / f"{number}.dcm" for number in range(len(files)))
    for path, content in zip(paths, files, strict=True):
        path.write_bytes(content)
    return Request(name, paths)


def hang(parts: Sequence[Part]) -> Never:
    while True:
        time.sleep(1)


def crash(parts: Sequence[Part]) -> Never:
    os._exit(11)


def test_files_of_several_series_are_also_sent_one_by_one(tmp_path: Path) -> None:
    files = series(VOXELS)
    other = series(VOXELS, SeriesInstanceUID=SERIES_UID + ".2")
    whole = folder_of(tmp_path, "a", files)
    mixed = folder_of(tmp_path, "b", [files[0], other[0], b"no DICOM"])
    (tmp_path / "manifest.csv").write_text("file,licence")
    singles = [Request(f"b/{path.name}", (path,)) for path in mixed.paths]
    assert list(requests(tmp_path)) == [whole, mixed, *singles]


def test_decoded_or_refused_with_the_reason(tmp_path: Path) -> None:
    whole = outcome(folder_of(tmp_path, "a", series(VOXELS)))
    refused = outcome(folder_of(tmp_path, "b", [b"no DICOM at all"]))
    assert (whole.state, whole.code) == ("decoded", "")
    assert whole.found == "series, 40 x 36 x 4, 1 x 1 x 1 mm, axial, t1ce"
    assert whole.warnings == 1
    assert (refused.state, refused.code) == ("refused", "unsupported_format")
    assert whole.kept_promise
    assert refused.kept_promise


def test_what_hangs_or_crashes_is_ended_and_said(tmp_path: Path) -> None:
    request = folder_of(tmp_path, "a", [b"x"])
    hung, crashed = outcome(request, 0.5, hang), outcome(request, decode=crash)
    assert hung.state == "hung"
    assert crashed == Outcome("crashed", "the process ended with 11", 0.0)
    assert not hung.kept_promise
    assert not crashed.kept_promise


def test_the_page_has_a_row_for_each_request() -> None:
    rows = [
        (Request("a", (Path("a/1"), Path("a/2"))), Outcome("decoded", "series, 40 x 36 x 4", 0.25, warnings=1)),
        (Request("b", (Path("b/1"),)), Outcome("refused", "no | magic", 0.5, code="unreadable_file")),
    ]
    page = markdown(rows)
    assert "Of 2 requests 1 were decoded, 1 refused with a reason, 0 crashed, 0 hung. Slowest: 0.5 s." in page
    assert "| a | 2 | decoded | series, 40 x 36 x 4 | 1 | 0.25 |" in page
    assert "| b | 1 | refused `unreadable_file` | no / magic | 0 | 0.50 |" in page
