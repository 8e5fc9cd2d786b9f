"""Single-frame MR DICOM -> pixels and geometry. The only module that imports pydicom.

Only the tags named here are read, so that names, dates and identifiers of the patient never become objects.
"""

import io
import logging
import re
import struct
import zlib
from typing import Final

import gdcm  # type: ignore[import-untyped]
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import encaps
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from gateway.imaging import geometry, gray, headers
from gateway.imaging.errors import MultiFrame, NotMr, PictureTooLarge, UnreadableFile, UnsupportedDicom
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.study import Picture, Pixels

MR_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.4.1"
SOP_CLASSES: Final = {MR_IMAGE: "MR Image Storage", ENHANCED_MR_IMAGE: "Enhanced MR Image Storage"}

_JPEG_SYNTAXES: Final = {
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
}
_JPEG2000_SYNTAXES: Final = {"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"}
_NATIVE_SYNTAXES: Final = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}
_RLE: Final = "1.2.840.10008.1.2.5"
_TRANSFER_SYNTAXES: Final = _NATIVE_SYNTAXES | _JPEG_SYNTAXES | _JPEG2000_SYNTAXES | {_RLE}

_HEADER_TAGS: Final = (
    "SOPClassUID", "Modality", "ImageType", "NumberOfFrames", "Rows", "Columns", "SamplesPerPixel",
    "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelPaddingValue", "RescaleSlope", "RescaleIntercept", *geometry.TAGS,
)  # fmt: skip
_DEFLATED_HEAD_BYTES: Final = 2**20
_PLAIN_FILE_META: Final = (
    b"\0" * 128 + b"DICM" + b"\x02\0\x10\0UI" + struct.pack("<H", 20) + ExplicitVRLittleEndian.encode() + b"\0"
)
_HEAD_BODY: Final = {
    "",
    "HEAD",
    "BRAIN",
    "SKULL",
    "HEADNECK",
    "HEAD AND NECK",
    "HEAD NECK",
    "NEURO",
    "CEREBRUM",
    "IAC",
    "PITUITARY",
}
_PYDICOM_ERRORS: Final = (
    InvalidDicomError, ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError,
    NotImplementedError, OSError, RecursionError, RuntimeError, TypeError, ValueError, Warning, struct.error,
    zlib.error,
)  # fmt: skip
_DAMAGED: Final = "The DICOM file is damaged or cut short: its header cannot be read."

# Their messages may quote values of the header: none of that may reach a log.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
gdcm.Trace.WarningOff()
gdcm.Trace.ErrorOff()
gdcm.Trace.DebugOff()


def decode_dicom(content: bytes, limits: DecodeLimits, warnings: tuple[str, ...] = ()) -> Picture:
    """Decode one MR slice; `warnings` are put in front of those found here.

    Rescaled values: uint8 where 8 bits are stored and nothing is rescaled, else float32. MONOCHROME1 is inverted.
    Raises `NotMr`, `MultiFrame`, `UnsupportedDicom`, `UnreadableFile`, `PictureTooLarge`, `PictureTooSmall`.
    """
    content, header = _open(content, limits)
    _check(header, limits)
    picture_geometry = geometry.read(header)
    stored = _decode_pixels(content, header)
    return Picture(
        format="dicom",
        pixels=gray.check_pixels(_rescale(stored, header)),
        spacing_mm=picture_geometry.spacing_mm,
        view=picture_geometry.view,
        sequence=picture_geometry.sequence,
        warnings=(*warnings, *_warnings(header)),
    )


def _open(content: bytes, limits: DecodeLimits) -> tuple[bytes, Dataset]:
    """The header, and the content with deflation undone. A deflated file is inflated only as far as it must be."""
    try:
        meta, start = _file_meta(content)
        if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            content = _inflate(content[start:], limits)
        return content, _read_header(content)
    except _PYDICOM_ERRORS as error:
        raise UnreadableFile(_DAMAGED) from error


def _file_meta(content: bytes) -> tuple[Dataset, int]:
    """The file meta group (empty where there is none) and the offset at which the data set starts.

    Read apart from the data set, since pydicom inflates a deflated one whole, whatever its size.
    """
    source = io.BytesIO(content)
    source.seek(132 if content.startswith(b"DICM", 128) else 0)
    meta = read_dataset(
        source, is_implicit_VR=False, is_little_endian=True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2
    )
    return meta, source.tell()


def _read_header(content: bytes) -> Dataset:
    tags = list(_HEADER_TAGS)
    return pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True, force=True, specific_tags=tags)


def _inflate(deflated: bytes, limits: DecodeLimits) -> bytes:
    """The same file undeflated, with a file meta group of its own. Raises what `_check` raises, `PictureTooLarge`."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    head = _PLAIN_FILE_META + inflater.decompress(deflated, _DEFLATED_HEAD_BYTES)
    header = _read_header(head)
    _check(header, limits)
    wanted = header.Rows * header.Columns * (header.BitsAllocated // 8)
    rest = inflater.decompress(inflater.unconsumed_tail, wanted + _DEFLATED_HEAD_BYTES)
    if inflater.unconsumed_tail:
        raise PictureTooLarge("The deflated DICOM file unpacks to more than its header's picture needs.")
    return head + rest


def _check(header: Dataset, limits: DecodeLimits) -> None:
    modality = _code_string(header.get("Modality")) or "none given"
    sop_class = str(header.get("SOPClassUID") or "")
    if modality != "MR":
        raise NotMr(f"The DICOM object's modality is {modality}; MR images of the brain are accepted.")
    if sop_class not in SOP_CLASSES:
        name = UID(sop_class).name if re.fullmatch(r"[0-9.]{1,64}", sop_class) else "missing"
        raise UnsupportedDicom(f"The SOP class is '{name}'; accepted are {' and '.join(SOP_CLASSES.values())}.")
    frames = _integer(header, "NumberOfFrames", default=1)
    if frames != 1:
        raise MultiFrame(
            f"This is a multi-frame DICOM object ({frames} frames): volumes are not accepted yet. Send one frame."
        )
    limits.check_size(_integer(header, "Rows"), _integer(header, "Columns"))
    _check_pixel_kind(header)
    syntax = _transfer_syntax(header)
    if syntax is not None and syntax not in _TRANSFER_SYNTAXES:
        raise UnsupportedDicom(f"The transfer syntax '{syntax.name}' cannot be decoded; send it uncompressed.")


def _check_pixel_kind(header: Dataset) -> None:
    photometric = _code_string(header.get("PhotometricInterpretation")) or "missing"
    if _integer(header, "SamplesPerPixel", default=1) != 1 or photometric not in {"MONOCHROME1", "MONOCHROME2"}:
        raise UnsupportedDicom(
            f"The photometric interpretation is {photometric}; gray slices (MONOCHROME1, MONOCHROME2) are accepted."
        )
    allocated, stored = _integer(header, "BitsAllocated"), _integer(header, "BitsStored")
    if allocated not in {8, 16} or not 2 <= stored <= allocated:
        raise UnsupportedDicom(f"{stored} bits stored in {allocated} are not accepted; 2 to 16 bits in 8 or 16 are.")


def _integer(header: Dataset, keyword: str, default: int | None = None) -> int:
    try:
        value = header.get(keyword)
        if value in (None, "") and default is not None:
            return default
        return int(value)
    except _PYDICOM_ERRORS as error:
        raise UnreadableFile(f"The DICOM header's {keyword} is missing or not a number.") from error


def _code_string(value: object) -> str | None:
    """A code such as MR; None for anything that is not, since free text might name a person."""
    text = str(value).strip() if value is not None else ""
    return text if re.fullmatch(r"[A-Z][A-Z0-9_]{1,15}", text) else None


def _transfer_syntax(header: Dataset) -> UID | None:
    syntax = header.file_meta.get("TransferSyntaxUID") if hasattr(header, "file_meta") else None
    return UID(str(syntax)) if syntax else None


def _decode_pixels(content: bytes, header: Dataset) -> NDArray[np.generic]:
    """The stored values `[rows, columns]`, checked against the header on the way in and out."""
    syntax = _transfer_syntax(header)
    try:
        pixels_only = pydicom.dcmread(io.BytesIO(content), force=True, specific_tags=[*_HEADER_TAGS, "PixelData"])
        if "PixelData" not in pixels_only:
            raise UnreadableFile("The DICOM file has no pixel data: it may be cut short.")
        if syntax is None:
            implicit = pixels_only.original_encoding[0]
            pixels_only.file_meta = FileMetaDataset()
            pixels_only.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        if syntax is None or syntax in _NATIVE_SYNTAXES:
            # Some writers pad: what is beyond the picture is cut, what is missing is an error in the decoder.
            pixels_only.PixelData = pixels_only.PixelData[: header.Rows * header.Columns * header.BitsAllocated // 8]
        elif syntax in _JPEG_SYNTAXES | _JPEG2000_SYNTAXES:
            _check_code_stream(pixels_only, header, is_jpeg2000=syntax in _JPEG2000_SYNTAXES)
        stored = pixels_only.pixel_array
    except _PYDICOM_ERRORS as error:
        name = syntax.name if syntax is not None else "no transfer syntax"
        raise UnreadableFile(f"The DICOM pixels ({name}) are damaged, cut short or cannot be decoded.") from error
    if stored.shape != (header.Rows, header.Columns):
        raise UnreadableFile("The DICOM pixels do not have the size that the header says.")
    return stored


def _check_code_stream(pixels_only: Dataset, header: Dataset, *, is_jpeg2000: bool) -> None:
    """A compressed frame has a header of its own, which the decoder believes: it must say the same."""
    stream = encaps.get_frame(pixels_only.PixelData, 0, number_of_frames=1)
    inner = headers.read_jpeg2000(stream) if is_jpeg2000 else headers.read_jpeg(stream)
    if (inner.rows, inner.columns, inner.channels) != (header.Rows, header.Columns, 1):
        raise UnreadableFile("The compressed picture inside the DICOM file differs in size from the header.")


def _rescale(stored: NDArray[np.generic], header: Dataset) -> Pixels:
    slope, intercept = _factor(header, "RescaleSlope", 1.0), _factor(header, "RescaleIntercept", 0.0)
    inverted = header.PhotometricInterpretation == "MONOCHROME1"
    if stored.dtype == np.uint8 and (slope, intercept) == (1.0, 0.0):
        return np.ascontiguousarray(255 - stored if inverted else stored, np.uint8)
    values = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    return values.max() + values.min() - values if inverted else values


def _factor(header: Dataset, keyword: str, default: float) -> float:
    try:
        value = float(header.get(keyword) or default)
    except _PYDICOM_ERRORS as error:
        raise UnreadableFile(f"The DICOM header's {keyword} is not a number.") from error
    if not np.isfinite(value) or abs(value) > 1e9 or (keyword == "RescaleSlope" and value == 0):
        raise UnreadableFile(f"The DICOM header's {keyword} is out of range.")
    return value


def _warnings(header: Dataset) -> tuple[str, ...]:
    found: list[str] = []
    body = str(header.get("BodyPartExamined") or "").strip().upper()
    if body not in _HEAD_BODY:
        found.append(
            f"The body part examined is {_code_string(body) or 'another one'}, not the head: the models know no other."
        )
    if "MOSAIC" in (header.get("ImageType") or ()):
        found.append("The picture is a mosaic of several slices; the models expect one slice.")
    return tuple(found)
