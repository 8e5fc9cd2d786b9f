"""What a job is to do, as it is kept until it is done: options, the record, and where the uploads lie."""

import re
from typing import Any, Final, get_args

from gateway.blobs.port import BlobKey
from gateway.imaging.sequence_names import read_name
from gateway.schemas import AnalysisOptions, Schema
from service_kit.contracts.common import Sequence

# What decoding may learn from a file's name. All else in it may name a patient.
_TELLING: Final = re.compile(r"(?<![a-z0-9])(?:t1|t1ce|t1c|t1gd|t1n|t2|t2w|flair|t2f|seg)(?![a-z0-9])")
_ENDING: Final = re.compile(r"\.(?:nii\.gz|nii|dcm|ima|zip|png|jpg|jpeg|webp|tif|tiff|bmp)$")

_SEQUENCES: Final[tuple[Sequence, ...]] = get_args(Sequence)


class Upload(Schema):
    """One file of the form: its field's name, what may be kept of its file name, its blob and its size."""

    name: str
    filename: str
    blob: str
    size_bytes: int


class Order(Schema):
    """All that a worker needs to know. The record is the patient's: it goes when the job is finished."""

    uploads: tuple[Upload, ...]
    options: AnalysisOptions
    record: dict[str, Any] | None = None
    request_id: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None

    @property
    def told(self) -> frozenset[Sequence]:
        """The sequences that the fields' and the files' names tell; none where one of them tells nothing."""
        found: set[Sequence] = set()
        for upload in self.uploads:
            by_field = next((sequence for sequence in _SEQUENCES if sequence == upload.name), None)
            sequence = by_field or read_name(upload.filename)
            if sequence is None or sequence == "mask":
                return frozenset()
            found.add(sequence)
        return frozenset(found)

    def blob_keys(self, owner: str) -> list[BlobKey]:
        """Where the uploads lie, in their order."""
        return [BlobKey(owner, upload.blob) for upload in self.uploads]


def plain_filename(claimed: str) -> str:
    """A file name's ending and the sequences that it names, in lower case: `flair.nii.gz`, or `file.dcm`."""
    name = claimed.lower()
    ending = _ENDING.search(name)
    return ("-".join(_TELLING.findall(name)) or "file") + (ending.group() if ending else "")
