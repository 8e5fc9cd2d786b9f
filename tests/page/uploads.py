"""What a reader has at hand: files as the browser's file chooser takes them."""

import io
from collections.abc import Mapping

from numpy.typing import NDArray
from playwright.sync_api import FilePayload

from tests.bench.volume import study
from tests.integration.made_heads import Heads, Parts
from tests.page.stack import SAMPLES
from tests.unit.gateway_volumes.archives import zip_of
from tests.unit.gateway_volumes.dicom_series import series


def file(name: str, content: bytes, media_type: str = "application/octet-stream") -> FilePayload:
    """One file of the reader's disk."""
    return {"name": name, "mimeType": media_type, "buffer": content}


def sample(name: str) -> FilePayload:
    """A bundled picture or DICOM file."""
    return file(name, (SAMPLES / name).read_bytes(), "image/png" if name.endswith(".png") else "")


def head(heads: Heads, *, large: bool = False) -> list[FilePayload]:
    """The four sequences of a made head; `large` has 155 slices and keeps the networks busy for a while."""
    parts: Parts = heads.large if large else heads.small
    return [file(f"case_{filename}", content) for _, (filename, content, _) in parts]


def dicom_series() -> FilePayload:
    """A zip of 78 DICOM files, one sequence of the small head."""
    voxels: Mapping[str, NDArray] = study()  # type: ignore[type-arg]
    slices = series(voxels["t1ce"][::2, ::2, ::2].copy(), SeriesDescription="t1ce")
    return file("series.zip", zip_of({f"{number:03d}.dcm": content for number, content in enumerate(slices)}))


def text() -> FilePayload:
    """No picture at all."""
    return file("letter.txt", io.BytesIO(b"Dear colleague,\n").getvalue(), "text/plain")
