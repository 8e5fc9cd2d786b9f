"""Single-frame MR DICOM -> pixels and geometry. The only module that imports pydicom.

Only the tags named here are read, so that names, dates and identifiers of the patient never become objects.
"""

import io
import logging
import re
import struct
import zlib
from typing import Any, Final

import gdcm  # type: ignore[import-untyped]
import pydicom
from numpy.typing import NDArray
from pydicom import encaps
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from gateway.imaging import geometry, gray, headers
from gateway.imaging.dicom_rules import (
    JPEG2000_SYNTAXES,
    JPEG_SYNTAXES,
    NATIVE_SYNTAXES,
    Header,
    check_header,
    rescale,
    warnings_of,
)
from gateway.imaging.errors import PictureTooLarge, UnreadableFile
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.study import Picture

_PIXEL_TAGS: Final = (
    "NumberOfFrames", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation",
)  # fmt: skip
_HEADER_TAGS: Final = (
    *_PIXEL_TAGS, "SOPClassUID", "Modality", "ImageType", "RescaleSlope", "RescaleIntercept", *geometry.TAGS,
)  # fmt: skip
_DEFLATED_HEAD_BYTES: Final = 2**20
_PLAIN_FILE_META: Final = (
    b"\0" * 128 + b"DICM" + b"\x02\0\x10\0UI" + struct.pack("<H", 20) + ExplicitVRLittleEndian.encode() + b"\0"
)
_PYDICOM_ERRORS: Final = (
    InvalidDicomError, ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError,
    NotImplementedError, OSError, RecursionError, RuntimeError, TypeError, ValueError, Warning, struct.error,
    zlib.error,
)  # fmt: skip
_DAMAGED: Final = "The DICOM file is damaged or cut short: its header cannot be read."

# Values of the header are checked here; pydicom's own checks and the decoders' messages may quote values of it: none of
# that may reach a log.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
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
    check_header(header, limits)
    stored = _decode_pixels(content, header)
    picture_geometry = _geometry(header)
    return Picture(
        format="dicom",
        pixels=gray.check_pixels(rescale(stored, header)),
        spacing_mm=picture_geometry.spacing_mm,
        view=picture_geometry.view,
        sequence=picture_geometry.sequence,
        warnings=(*warnings, *warnings_of(header)),
    )


def _open(content: bytes, limits: DecodeLimits) -> tuple[bytes, Header]:
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


def _read_header(content: bytes) -> Header:
    """The named elements that can be read, and the transfer syntax; a broken element counts as missing."""
    source = io.BytesIO(content)
    elements = pydicom.dcmread(source, stop_before_pixels=True, force=True, specific_tags=list(_HEADER_TAGS))
    header: Header = {keyword: _element(elements, keyword) for keyword in _HEADER_TAGS}
    syntax = _element(elements.file_meta, "TransferSyntaxUID")
    header["TransferSyntaxUID"] = str(syntax) if syntax else None
    header["SyntaxName"] = _name(syntax)
    header["SOPClassName"] = _name(header["SOPClassUID"])
    return header


def _name(uid: object) -> str | None:
    text = str(uid)
    return UID(text).name if re.fullmatch(r"[0-9.]{1,64}", text) else None


def _element(elements: Dataset, keyword: str) -> Any:
    try:
        return elements.get(keyword)
    except _PYDICOM_ERRORS:
        return None


def _inflate(deflated: bytes, limits: DecodeLimits) -> bytes:
    """The same file undeflated, with a file meta group of its own. Raises as `check_header` does."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    head = _PLAIN_FILE_META + inflater.decompress(deflated, _DEFLATED_HEAD_BYTES)
    header = _read_header(head)
    check_header(header, limits)
    wanted = header["Rows"] * header["Columns"] * header["BitsAllocated"] // 8
    rest = inflater.decompress(inflater.unconsumed_tail, wanted + _DEFLATED_HEAD_BYTES)
    if inflater.unconsumed_tail:
        raise PictureTooLarge("The deflated DICOM file unpacks to more than its header's picture needs.")
    return head + rest


def _geometry(header: Header) -> geometry.SliceGeometry:
    try:
        return geometry.read(header)
    except _PYDICOM_ERRORS as error:
        raise UnreadableFile("The DICOM header's functional groups are damaged.") from error


def _decode_pixels(content: bytes, header: Header) -> NDArray[Any]:
    """The stored values `[rows, columns]`, checked against the header on the way in and out."""
    syntax = header["TransferSyntaxUID"]
    rows, columns = header["Rows"], header["Columns"]
    try:
        elements = pydicom.dcmread(io.BytesIO(content), force=True, specific_tags=[*_PIXEL_TAGS, "PixelData"])
        if "PixelData" not in elements:
            raise UnreadableFile("The DICOM file has no pixel data: it may be cut short.")
        if syntax is None:
            implicit = elements.original_encoding[0]
            elements.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        if syntax is None or syntax in NATIVE_SYNTAXES:
            # Some writers pad: what is beyond the picture is cut, what is missing is an error in the decoder.
            elements.PixelData = elements.PixelData[: rows * columns * header["BitsAllocated"] // 8]
        elif syntax in JPEG_SYNTAXES | JPEG2000_SYNTAXES:
            _check_code_stream(elements, rows, columns, is_jpeg2000=syntax in JPEG2000_SYNTAXES)
        stored = elements.pixel_array
    except _PYDICOM_ERRORS as error:
        name = header["SyntaxName"] or "no transfer syntax"
        raise UnreadableFile(f"The DICOM pixels ({name}) are damaged, cut short or cannot be decoded.") from error
    if stored.shape != (rows, columns):
        raise UnreadableFile("The DICOM pixels do not have the size that the header says.")
    return stored


def _check_code_stream(elements: Dataset, rows: int, columns: int, *, is_jpeg2000: bool) -> None:
    """A compressed frame has a header of its own, which the decoder believes: it must say the same."""
    stream = encaps.get_frame(elements.PixelData, 0, number_of_frames=1)
    inner = headers.read_jpeg2000(stream) if is_jpeg2000 else headers.read_jpeg(stream)
    if (inner.rows, inner.columns, inner.channels) != (rows, columns, 1):
        raise UnreadableFile("The compressed picture inside the DICOM file differs in size from the header.")
