"""DICOM's run-length code (PS3.5 annex G), decoded into no more memory than the picture has."""

import struct
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gateway.imaging.errors import UnreadableFile

_DAMAGED = "The run-length coded DICOM pixels are damaged or cut short."


def decode_rle(frame: bytes, rows: int, columns: int, bytes_allocated: int, *, signed: bool) -> NDArray[np.generic]:
    """One gray frame -> `[rows, columns]` of 8- or 16-bit integers. Raises `UnreadableFile`."""
    if len(frame) < 64:
        raise UnreadableFile(_DAMAGED)
    count, *offsets = struct.unpack_from("<16I", frame)
    if count != bytes_allocated:
        raise UnreadableFile("The run-length coded DICOM pixels are not of the depth that the header says.")
    bounds = [*offsets[:count], len(frame)]
    planes = [_decode_segment(frame[start:end], rows * columns) for start, end in pairwise(bounds)]
    # The most significant byte comes first.
    stored = np.stack([np.frombuffer(plane, np.uint8) for plane in planes], axis=1).tobytes()
    kind = f">{'i' if signed else 'u'}{bytes_allocated}"
    return np.frombuffer(stored, kind).reshape(rows, columns)


def _decode_segment(segment: bytes, size: int) -> bytes:
    plane = bytearray()
    offset = 0
    while len(plane) < size and offset + 1 < len(segment):
        code = segment[offset]
        if code < 128:
            plane += segment[offset + 1 : offset + 2 + code]
            offset += 2 + code
        elif code > 128:
            plane += segment[offset + 1 : offset + 2] * (257 - code)
            offset += 2
        else:
            offset += 1
    if len(plane) < size:
        raise UnreadableFile(_DAMAGED)
    return bytes(plane[:size])
