"""The pixels of one frame of a DICOM object, checked against the header on the way in and out."""

from typing import Any

from numpy.typing import NDArray
from pydicom import encaps
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from gateway.imaging import headers
from gateway.imaging.dicom_rle import decode_rle
from gateway.imaging.dicom_rules import (
    JPEG2000_SYNTAXES,
    JPEG_LOSSLESS_SYNTAXES,
    JPEG_LS_SYNTAXES,
    NATIVE_SYNTAXES,
    RLE,
    Header,
)
from gateway.imaging.errors import UnreadableFile
from gateway.imaging.jpeg_lossless import decode_jpeg_lossless


def decode_frame(elements: Dataset, header: Header, number: int) -> NDArray[Any]:
    """The stored values `[rows, columns]` of frame `number`, checked against the header on the way in and out."""
    if "PixelData" not in elements:
        raise UnreadableFile("The DICOM file has no pixel data: it may be cut short.")
    syntax, rows, columns, count = (header[name] for name in ("TransferSyntaxUID", "Rows", "Columns", "NumberOfFrames"))
    if count > 1 and (syntax is None or syntax in NATIVE_SYNTAXES):
        stored = pixel_array(elements, raw=True, index=number)
    elif syntax is None or syntax in NATIVE_SYNTAXES:
        # Some writers pad: what is beyond the picture is cut, what is missing is an error in the decoder.
        elements.PixelData = elements.PixelData[: rows * columns * header["BitsAllocated"] // 8]
        stored = elements.pixel_array
    else:
        frame = encaps.get_frame(elements.PixelData, number, number_of_frames=count)
        stored = _decode_compressed(frame, number, elements, header)
    if stored.shape != (rows, columns):
        raise UnreadableFile("The DICOM pixels do not have the size that the header says.")
    return stored


def _decode_compressed(frame: bytes, number: int, elements: Dataset, header: Header) -> NDArray[Any]:
    rows, columns, signed = header["Rows"], header["Columns"], header["PixelRepresentation"] == 1
    syntax = header["TransferSyntaxUID"]
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
    return pixel_array(elements, raw=True, index=number, decoding_plugin="pillow")


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
