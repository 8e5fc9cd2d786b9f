"""MR DICOM -> pixels and geometry, a slice or the frames of an object. pydicom is imported here and in `dicom_pixels`.

Only the elements named here are read, first those that judge the file, then the pixels: names, dates and identifiers
of the patient never become objects, and junk in the file is never parsed.
"""

import io
import logging
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pydicom
from numpy.typing import NDArray
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from gateway.imaging import frames, geometry, gray
from gateway.imaging.dicom_elements import MAX_ELEMENTS, PIXEL_DATA, ElementReader
from gateway.imaging.dicom_pixels import decode_frame
from gateway.imaging.dicom_rules import (
    NATIVE_SYNTAXES,
    Header,
    check_header,
    other_body_part,
    rescale,
    warnings_of,
)
from gateway.imaging.errors import PictureTooLarge, UnreadableFile
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.study import Picture

_PIXEL_KEYWORDS: Final = (
    "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation",
)  # fmt: skip
_HEADER_KEYWORDS: Final = (
    *_PIXEL_KEYWORDS, "NumberOfFrames", "SOPClassUID", "Modality", "ImageType", "RescaleSlope", "RescaleIntercept",
    *frames.KEYWORDS, *geometry.KEYWORDS,
)  # fmt: skip
_HEADER_TAGS: Final = frozenset(tag_for_keyword(keyword) or 0 for keyword in _HEADER_KEYWORDS + geometry.GROUP_KEYWORDS)
_GROUP_TAGS: Final = frozenset(tag_for_keyword(keyword) or 0 for keyword in geometry.GROUP_KEYWORDS)
_LAST_HEADER_GROUP: Final = 0x0028
_LAST_GROUP: Final = PIXEL_DATA >> 16
_LAST_GEOMETRY_GROUP: Final = 0x5200
_MAX_ELEMENTS_PER_FRAME: Final = 400
_MAX_META_BYTES: Final = 16_384
_DEFLATED_HEAD_BYTES: Final = 2**20
_PYDICOM_ERRORS: Final = (
    InvalidDicomError, BytesLengthException, ArithmeticError, AssertionError, AttributeError, EOFError, LookupError,
    MemoryError, NotImplementedError, OSError, RecursionError, RuntimeError, TypeError, ValueError, Warning,
    struct.error, zlib.error,
)  # fmt: skip
_DAMAGED: Final = "The DICOM file is damaged or cut short: its header cannot be read."
_BROKEN_PIXELS: Final = "The DICOM pixels ({}) are damaged, cut short or cannot be decoded."

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

    def read(self, tags: frozenset[int], *, last_group: int, frames: int = 1) -> Dataset:
        """The data set, of the elements `tags` alone."""
        reader = ElementReader(self.content, self.start, MAX_ELEMENTS + (frames - 1) * _MAX_ELEMENTS_PER_FRAME)
        elements = reader.pick(tags, last_group=last_group)
        syntax = reader.transfer_syntax if self.syntax is None or self.syntax in NATIVE_SYNTAXES else self.syntax
        return pydicom.dcmread(io.BytesIO(_file_meta(syntax) + elements))


@dataclass(frozen=True, slots=True)
class MrObject:
    """An MR object whose header was found good; nothing of its pixels is decoded yet."""

    header: Header
    _file: _File

    def frame_headers(self) -> list[Header]:
        """For each frame the header with what its functional groups say of it. Raises `UnreadableFile`."""
        count = self.header["NumberOfFrames"]
        try:
            groups = self._file.read(_GROUP_TAGS, last_group=_LAST_GEOMETRY_GROUP, frames=count)
            return frames.read({**self.header, **_groups(groups)}, count)
        except _PYDICOM_ERRORS as error:
            raise UnreadableFile(_DAMAGED) from error

    def decode(self, numbers: Iterable[int]) -> Iterator[NDArray[Any]]:
        """The stored values `[rows, columns]` of these frames, one after the other. Raises `UnreadableFile`."""
        count = self.header["NumberOfFrames"]
        try:
            elements = self._file.read(_HEADER_TAGS | {PIXEL_DATA}, last_group=_LAST_GROUP, frames=count)
            for number in numbers:
                yield decode_frame(elements, self.header, number)
        except _PYDICOM_ERRORS as error:
            raise UnreadableFile(_BROKEN_PIXELS.format(self.header["SyntaxName"])) from error


def open_mr(content: bytes, limits: DecodeLimits, *, max_frames: int = 1) -> MrObject:
    """The object in a file, judged by its header. Raises as `check_header` does."""
    try:
        file = _open(content, limits, max_frames)
        header = _read_header(file)
    except _PYDICOM_ERRORS as error:
        raise UnreadableFile(_DAMAGED) from error
    check_header(header, limits, max_frames)
    return MrObject(header, file)


def decode_dicom(content: bytes, limits: DecodeLimits, warnings: tuple[str, ...] = ()) -> Picture:
    """Decode one MR slice; `warnings` are put in front of those found here.

    Rescaled values: uint8 where 8 bits are stored and nothing is rescaled, else float32. MONOCHROME1 is inverted.
    Raises `NotMr`, `MultiFrame`, `UnsupportedDicom`, `UnreadableFile`, `PictureTooLarge`, `PictureTooSmall`.
    """
    mr = open_mr(content, limits)
    header = mr.header
    try:
        elements = mr._file.read(_HEADER_TAGS | {PIXEL_DATA}, last_group=_LAST_GROUP)
        header |= _groups(elements)
        found = geometry.read(header)
        stored = decode_frame(elements, header, 0)
    except _PYDICOM_ERRORS as error:
        raise UnreadableFile(_BROKEN_PIXELS.format(header["SyntaxName"])) from error
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


def _groups(elements: Dataset) -> Header:
    return {keyword: _element(elements, keyword) for keyword in geometry.GROUP_KEYWORDS}


def _open(content: bytes, limits: DecodeLimits, max_frames: int) -> _File:
    """The file, inflated where it is deflated: pydicom would inflate all of it, whatever its size."""
    source = io.BytesIO(content[: 132 + _MAX_META_BYTES])
    source.seek(132 if content.startswith(b"DICM", 128) else 0)
    meta = read_dataset(
        source, is_implicit_VR=False, is_little_endian=True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2
    )
    declared = meta.get("TransferSyntaxUID")
    syntax = str(declared) if declared else None
    if declared == DeflatedExplicitVRLittleEndian:
        return _inflate(content[source.tell() :], limits, max_frames)
    return _File(content, source.tell(), syntax)


def _inflate(deflated: bytes, limits: DecodeLimits, max_frames: int) -> _File:
    """The data set, inflated only as far as its header says that it goes. Raises as `check_header` does."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    head = inflater.decompress(deflated, _DEFLATED_HEAD_BYTES)
    header = _read_header(_File(head, 0, None))
    check_header(header, limits, max_frames)
    wanted = header["NumberOfFrames"] * header["Rows"] * header["Columns"] * header["BitsAllocated"] // 8
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
