"""Which DICOM study a file is of: what sorts an archive before anything of it is sent."""

import warnings
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

_UNREADABLE: Final = (
    InvalidDicomError,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    EOFError,
    RuntimeError,
)


def read_study_uid(path: Path) -> str | None:
    """The file's StudyInstanceUID; None where it has none or is no readable DICOM file. No pixels are read."""
    try:
        with warnings.catch_warnings():  # a wrong value elsewhere in the header is not the question here
            warnings.simplefilter("ignore")
            header = dcmread(path, stop_before_pixels=True, specific_tags=["StudyInstanceUID"], force=True)
            return str(header.get("StudyInstanceUID") or "").strip() or None
    except _UNREADABLE:
        return None
