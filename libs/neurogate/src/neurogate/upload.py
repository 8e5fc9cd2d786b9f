"""A study's files as they are sent: streamed from disk, many DICOM files as one zip, hashed on the way."""

import contextlib
import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from neurogate.study_files import FilePart, StudyFiles

_MAX_REPEATED: Final = 8
"""DICOM files that are sent as parts of their own; more become a zip. Gateways bound the parts of a form."""
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
_CHUNK_BYTES: Final = 2**20
FormFile = tuple[str, tuple[str, IO[bytes], str]]


@dataclass(frozen=True, slots=True)
class Upload:
    """Form fields and files, ready to be opened and sent as often as it takes."""

    parts: tuple[FilePart, ...]

    @contextlib.contextmanager
    def opened(self) -> Iterator[list[FormFile]]:
        """The form's files. Their names are neutral: those on disk may name the patient."""
        with contextlib.ExitStack() as stack:
            yield [
                (part.field, (f"{part.field}{_ending(part.path)}", stack.enter_context(part.path.open("rb")), _TYPE))
                for part in self.parts
            ]

    def key(self, options: Mapping[str, Any] | None, record: Mapping[str, Any] | None, attempt: int = 0) -> str:
        """The Idempotency-Key: the same for the same bytes, options and record; each `attempt` has its own."""
        digest = hashlib.sha256(json.dumps([options or {}, record], sort_keys=True).encode())
        for part in self.parts:
            with part.path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"\n{part.field} {content}".encode())
        return f"neurogate-{digest.hexdigest()[:40]}-{attempt}"


_TYPE: Final = "application/octet-stream"


@contextlib.contextmanager
def prepared(study: StudyFiles) -> Iterator[Upload]:
    """The study as it is sent; a zip that it needs is there until the context is left.

    Raises:
        OSError: a file cannot be read, or there is no room for the zip.
    """
    if study.kind != "dicom" or len(study.parts) <= _MAX_REPEATED:
        yield Upload(study.parts)
        return
    with tempfile.TemporaryDirectory(prefix="neurogate-") as folder:
        zipped = []
        for field in dict.fromkeys(part.field for part in study.parts):
            target = Path(folder) / f"{field}.zip"
            _zip([part.path for part in study.parts if part.field == field], target)
            zipped.append(FilePart(field, target))
        yield Upload(tuple(zipped))


def _zip(files: list[Path], target: Path) -> None:
    """The same bytes for the same files: numbers for names, no dates."""
    with zipfile.ZipFile(target, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, path in enumerate(files, start=1):
            entry = zipfile.ZipInfo(f"{number:05d}.dcm", _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(entry, "w") as packed:
                shutil.copyfileobj(source, packed, _CHUNK_BYTES)


def _ending(path: Path) -> str:
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else path.suffix.lower()
