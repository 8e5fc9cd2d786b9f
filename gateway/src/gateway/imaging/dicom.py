"""Single-frame MR DICOM -> pixels and geometry. The only module that imports pydicom.

Only the elements named here are read, first those that judge the file, then the pixels: names, dates and identifiers
of the patient never become objects, and junk in the file is never parsed.
"""

import io
import logging
import re
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Final

import pydicom
from numpy.typing import NDArray
from pydicom import encaps
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from gateway.imaging import geometry, gray, headers
from gateway.imaging.dicom_elements import PIXEL_DATA, ElementReader
from gateway.imaging.dicom_rle import decode_rle
from gateway.imaging.dicom_rules import (
    JPEG2000_SYNTAXES,
    JPEG_LOSSLESS_SYNTAXES,
    JPEG_LS_SYNTAXES,
    NATIVE_SYNTAXES,
    RLE,
    Header,
    check_header,
    other_body_part,
    rescale,
    warnings_of,
)
from gateway.imaging.errors import PictureTooLarge, UnreadableFile
from gateway.imaging.jpeg_lossless import decode_jpeg_lossless
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.study import Picture

_PIXEL_KEYWORDS: Final = (
    "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation",
)  # fmt: skip
_HEADER_KEYWORDS: Final = (
    *_PIXEL_KEYWORDS, "NumberOfFrames", "SOPClassUID", "Modality", "ImageType", "RescaleSlope", "RescaleIntercept",
    *geometry.KEYWORDS,
)  # fmt: skip
_HEADER_TAGS: Final = frozenset(tag_for_keyword(keyword) or 0 for keyword in _HEADER_KEYWORDS + geometry.GROUP_KEYWORDS)
_LAST_HEADER_GROUP: Final = 0x0028
_LAST_GROUP: Final = PIXEL_DATA >> 16
_MAX_META_BYTES: Final = 16_384
_DEFLATED_HEAD_BYTES: Final = 2**20
_PYDICOM_ERRORS: Final = (
    InvalidDicomError, BytesLengthException, ArithmeticError, AssertionError, AttributeError, EOFError, LookupError,
    MemoryError, NotImplementedError, OSError, RecursionError, RuntimeError, TypeError, ValueError, Warning,
    struct.error, zlib.error,
)  # fmt: skip
_DAMAGED: Final = "The DICOM file is damaged or cut short: its header cannot be read."

# Values of the header are checked here; pydicom's own checks and the decoders' messages may quote values of it: none of
# that may reach a log.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class _File:
    """A DICOM file whose data set (not deflated) starts at `start`; `syntax` is what the file meta group says."""

    content: bytes
    start: int
    syntax: str | None

    def read(self, tags: frozenset[int], *, last_group: int) -> Dataset:
        """The data set, of the elements `tags` alone."""
        reader = ElementReader(self.content, self.start)
        elements = reader.pick(tags, last_group=last_group)
        syntax = reader.transfer_syntax if self.syntax is None or self.syntax in NATIVE_SYNTAXES else self.syntax
        return pydicom.dcmread(io.BytesIO(_file_meta(syntax) + elements))


def decode_dicom(content: bytes, limits: DecodeLimits, warnings: tuple[str, ...] = ()) -> Picture:
    """Decode one MR slice; `warnings` are put in front of those found here.

    Rescaled values: uint8 where 8 bits are stored and nothing is rescaled, else float32. MONOCHROME1 is inverted.
    Raises `NotMr`, `MultiFrame`, `UnsupportedDicom`, `UnreadableFile`, `PictureTooLarge`, `PictureTooSmall`.
    """
    try:
        file = _open(content, limits)
        header = _read_header(file)
    except _PYDICOM_ERRORS as error:
        raise UnreadableFile(_DAMAGED) from error
    check_header(header, limits)
    try:
        elements = file.read(_HEADER_TAGS | {PIXEL_DATA}, last_group=_LAST_GROUP)
        header |= {keyword: _element(elements, keyword) for keyword in geometry.GROUP_KEYWORDS}
        found = geometry.read(header)
        stored = _decode_pixels(elements, header)
    except _PYDICOM_ERRORS as error:
        name = header["SyntaxName"]
        raise UnreadableFile(f"The DICOM pixels ({name}) are damaged, cut short or cannot be decoded.") from error
    return Picture(
        format="dicom",
        pixels=gray.check_pixels(rescale(stored, header)),
        spacing_mm=found.spacing_mm,
        view=found.view,
        sequence=found.sequence,
        warnings=(*warnings, *warnings_of(header)),
        orientation=found.orientation,
        body_part=other_body_part(header),
    )


def _open(content: bytes, limits: DecodeLimits) -> _File:
    """The file, inflated where it is deflated: pydicom would inflate all of it, whatever its size."""
    source = io.BytesIO(content[: 132 + _MAX_META_BYTES])
    source.seek(132 if content.startswith(b"DICM", 128) else 0)
    meta = read_dataset(
        source, is_implicit_VR=False, is_little_endian=True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2
    )
    declared = meta.get("TransferSyntaxUID")
    syntax = str(declared) if declared else None
    if declared == DeflatedExplicitVRLittleEndian:
        return _inflate(content[source.tell() :], limits)
    return _File(content, source.tell(), syntax)


def _inflate(deflated: bytes, limits: DecodeLimits) -> _File:
    """The data set, inflated only as far as its header says that it goes. Raises as `check_header` does."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    head = inflater.decompress(deflated, _DEFLATED_HEAD_BYTES)
    header = _read_header(_File(head, 0, None))
    check_header(header, limits)
    wanted = header["Rows"] * header["Columns"] * header["BitsAllocated"] // 8
    rest = inflater.decompress(inflater.unconsumed_tail, wanted + _DEFLATED_HEAD_BYTES)
    if inflater.unconsumed_tail:
        raise PictureTooLarge("The deflated DICOM file unpacks to more than its header's picture needs.")
    return _File(head + rest, 0, None)


def _file_meta(syntax: str) -> bytes:
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    return b"\0" * 128 + b"DICM" + b"\x02\0\x10\0UI" + struct.pack("<H", len(uid)) + uid


def _read_header(file: _File) -> Header:
    """The named elements that can be read, and the transfer syntax; a broken element counts as missing."""
    elements = file.read(_HEADER_TAGS, last_group=_LAST_HEADER_GROUP)
    header: Header = {keyword: _element(elements, keyword) for keyword in _HEADER_KEYWORDS}
    header["TransferSyntaxUID"] = file.syntax
    header["SyntaxName"] = _name(file.syntax) or "no known transfer syntax"
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


def _decode_pixels(elements: Dataset, header: Header) -> NDArray[Any]:
    """The stored values `[rows, columns]`, checked against the header on the way in and out."""
    if "PixelData" not in elements:
        raise UnreadableFile("The DICOM file has no pixel data: it may be cut short.")
    syntax, rows, columns = header["TransferSyntaxUID"], header["Rows"], header["Columns"]
    if syntax is None or syntax in NATIVE_SYNTAXES:
        # Some writers pad: what is beyond the picture is cut, what is missing is an error in the decoder.
        elements.PixelData = elements.PixelData[: rows * columns * header["BitsAllocated"] // 8]
        stored = elements.pixel_array
    else:
        frame = encaps.get_frame(elements.PixelData, 0, number_of_frames=1)
        stored = _decode_frame(frame, syntax, elements, header)
    if stored.shape != (rows, columns):
        raise UnreadableFile("The DICOM pixels do not have the size that the header says.")
    return stored


def _decode_frame(frame: bytes, syntax: str, elements: Dataset, header: Header) -> NDArray[Any]:
    rows, columns, signed = header["Rows"], header["Columns"], header["PixelRepresentation"] == 1
    if syntax == RLE:
        return decode_rle(frame, rows, columns, header["BitsAllocated"] // 8, signed=signed)
    inner = _check_code_stream(frame, syntax, rows, columns)
    if syntax in JPEG_LOSSLESS_SYNTAXES | JPEG_LS_SYNTAXES:
        # GDCM keeps the allocated bits of lossless JPEG, and those that a JPEG-LS code stream needs.
        needed = 8 if inner.bits <= 8 else 16
        allocated = needed if syntax in JPEG_LS_SYNTAXES else header["BitsAllocated"]
        stored = min(header["BitsStored"], allocated)
        return decode_jpeg_lossless(
            frame, syntax, rows, columns, bits_allocated=allocated, bits_stored=stored, signed=signed
        )
    return pixel_array(elements, raw=True, decoding_plugin="pillow")


def _check_code_stream(frame: bytes, syntax: str, rows: int, columns: int) -> headers.Header:
    """A compressed frame has a header of its own, which the decoder believes: it must say the same."""
    inner = headers.read_jpeg2000(frame) if syntax in JPEG2000_SYNTAXES else headers.read_jpeg(frame)
    if syntax in JPEG_LOSSLESS_SYNTAXES | JPEG_LS_SYNTAXES:
        expected = headers.JPEG_LS_FRAME if syntax in JPEG_LS_SYNTAXES else headers.LOSSLESS_FRAME
        if inner.frame_marker != expected:
            raise UnreadableFile("The compressed picture in the DICOM file is of another kind than its header says.")
    if (inner.rows, inner.columns, inner.channels) != (rows, columns, 1):
        raise UnreadableFile("The compressed picture inside the DICOM file differs in size from the header.")
    return inner
