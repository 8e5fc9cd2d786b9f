"""What a DICOM header must say for its slice to be taken, and what follows from it for the pixels.

Works on plain values: `gateway.imaging.dicom` reads them, since it alone imports pydicom.
"""

import math
import re
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.imaging.errors import MultiFrame, NotMr, UnreadableFile, UnsupportedDicom, VolumeTooLarge
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.study import Pixels

Header = dict[str, Any]
"""Element values by keyword, None where missing or broken; and `TransferSyntaxUID`, `SyntaxName`, `SOPClassName`."""

MR_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.4.1"
SOP_CLASSES: Final = {MR_IMAGE: "MR Image Storage", ENHANCED_MR_IMAGE: "Enhanced MR Image Storage"}

JPEG_LOSSY_SYNTAXES: Final = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}
JPEG_LOSSLESS_SYNTAXES: Final = {"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"}
JPEG_LS_SYNTAXES: Final = {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"}
JPEG2000_SYNTAXES: Final = {"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"}
NATIVE_SYNTAXES: Final = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}
RLE: Final = "1.2.840.10008.1.2.5"
_TRANSFER_SYNTAXES: Final = (
    NATIVE_SYNTAXES | JPEG_LOSSY_SYNTAXES | JPEG_LOSSLESS_SYNTAXES | JPEG_LS_SYNTAXES | JPEG2000_SYNTAXES | {RLE}
)

_HEAD: Final = frozenset(
    {"", "HEAD", "BRAIN", "SKULL", "HEADNECK", "HEAD AND NECK", "HEAD NECK", "NEURO", "CEREBRUM", "IAC", "PITUITARY"}
)


def check_header(header: Header, limits: DecodeLimits, max_frames: int = 1) -> None:
    """Raises `NotMr`, `UnsupportedDicom`, `MultiFrame`, `PictureTooLarge`, `PictureTooSmall` or `UnreadableFile`.

    With more than `max_frames` frames it is `MultiFrame`, or `VolumeTooLarge` where several would have been taken.
    After it `NumberOfFrames`, `Rows`, `Columns`, `BitsAllocated` and `BitsStored` are known to be there.
    """
    modality = _code_string(header.get("Modality")) or "none given"
    sop_class = str(header.get("SOPClassUID") or "")
    if modality != "MR":
        raise NotMr(f"The DICOM object's modality is {modality}; MR images of the brain are accepted.")
    if sop_class not in SOP_CLASSES:
        name = header["SOPClassName"] or "missing"
        raise UnsupportedDicom(f"The SOP class is '{name}'; accepted are {' and '.join(SOP_CLASSES.values())}.")
    frames = _integer(header, "NumberOfFrames", default=1)
    header["NumberOfFrames"] = frames
    if frames < 1:
        raise UnreadableFile("The DICOM header says that it has no frames.")
    if frames > max_frames > 1:
        raise VolumeTooLarge(f"The DICOM object has {frames} frames; at most {max_frames} are accepted.")
    if frames > max_frames:
        raise MultiFrame(
            f"This is a multi-frame DICOM object ({frames} frames): one slice is accepted here. Send volumes to "
            "/v1/analyses."
        )
    limits.check_size(_integer(header, "Rows"), _integer(header, "Columns"))
    _check_pixel_kind(header)
    syntax = header["TransferSyntaxUID"]
    if syntax is not None and syntax not in _TRANSFER_SYNTAXES:
        raise UnsupportedDicom(f"The transfer syntax '{header['SyntaxName']}' cannot be decoded; send it uncompressed.")


def _check_pixel_kind(header: Header) -> None:
    photometric = _code_string(header.get("PhotometricInterpretation")) or "missing"
    if _integer(header, "SamplesPerPixel", default=1) != 1 or photometric not in {"MONOCHROME1", "MONOCHROME2"}:
        raise UnsupportedDicom(
            f"The photometric interpretation is {photometric}; gray slices (MONOCHROME1, MONOCHROME2) are accepted."
        )
    allocated, stored = _integer(header, "BitsAllocated"), _integer(header, "BitsStored")
    if allocated not in {8, 16} or not 2 <= stored <= allocated:
        raise UnsupportedDicom(f"{stored} bits stored in {allocated} are not accepted; 2 to 16 bits in 8 or 16 are.")


def _integer(header: Header, keyword: str, default: int | None = None) -> int:
    value = header.get(keyword)
    if value in (None, "") and default is not None:
        return default
    try:
        return int(str(value))
    except ValueError as error:
        raise UnreadableFile(f"The DICOM header's {keyword} is missing or not a number.") from error


def _code_string(value: object) -> str | None:
    """A code such as MR; None for anything that is not, since free text might name a person."""
    text = str(value).strip() if value is not None else ""
    return text if re.fullmatch(r"[A-Z][A-Z0-9_]{1,15}", text) else None


def rescale(stored: NDArray[Any], header: Header) -> Pixels:
    """Stored values -> uint8 where 8 bits are not rescaled, else float32; MONOCHROME1 is inverted."""
    slope, intercept = _factor(header, "RescaleSlope", 1.0), _factor(header, "RescaleIntercept", 0.0)
    inverted = header["PhotometricInterpretation"] == "MONOCHROME1"
    if stored.dtype == np.uint8 and (slope, intercept) == (1.0, 0.0):
        return np.ascontiguousarray(255 - stored if inverted else stored, np.uint8)
    values = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    return values.max() + values.min() - values if inverted else values


def _factor(header: Header, keyword: str, default: float) -> float:
    try:
        value = float(header.get(keyword) or default)
    except (TypeError, ValueError) as error:
        raise UnreadableFile(f"The DICOM header's {keyword} is not a number.") from error
    if not math.isfinite(value) or abs(value) > 1e9 or (keyword == "RescaleSlope" and value == 0):
        raise UnreadableFile(f"The DICOM header's {keyword} is out of range.")
    return value


def other_body_part(header: Header) -> str | None:
    """The body part that the header names where that is not the head, "another one" where it is free text."""
    body = str(header.get("BodyPartExamined") or "").strip().upper()
    return None if body in _HEAD else _code_string(body) or "another one"


def warnings_of(header: Header) -> tuple[str, ...]:
    """What a reader of the result should know: another body part, a mosaic."""
    found: list[str] = []
    body = other_body_part(header)
    if body is not None:
        found.append(f"The body part examined is {body}, not the head: the models know no other.")
    if "MOSAIC" in (header.get("ImageType") or ()):
        found.append("The picture is a mosaic of several slices; the models expect one slice.")
    return tuple(found)
