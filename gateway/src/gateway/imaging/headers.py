"""Sizes read from the headers of PNG, JPEG, JPEG 2000, WebP and BMP, before any decoder sees a byte.

A decoder allocates what the header asks for; these few lines know what that will be at no cost.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.imaging.errors import MultiFrame, UnreadableFile, UnsupportedPixels

_SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
LOSSLESS_FRAME, JPEG_LS_FRAME = 0xC3, 0xF7
_JPEG2000_START = b"\xff\x4f\xff\x51"
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_MAX_JPEG_SCANS = 64
_CUT_SHORT = "The file is cut short: it ends in the middle of its {}."


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says. `bits` is per channel, `orientation` EXIF's 1 to 8, `frame_marker` a JPEG's kind of frame."""

    rows: int
    columns: int
    bits: int = 8
    channels: int = 1
    orientation: int = 1
    frame_marker: int = 0


def read_png(content: bytes) -> Header:
    """Walk the chunks and check each checksum, since a decoder may return half a picture.

    Raises `UnreadableFile` (cut short, checksum) or `MultiFrame` (animated).
    """
    header: Header | None = None
    orientation, offset = 1, 8
    view = memoryview(content)
    while True:
        if offset + 12 > len(content):
            raise UnreadableFile(_CUT_SHORT.format("PNG chunks"))
        length, kind = struct.unpack_from(">I4s", content, offset)
        end = offset + 12 + length
        if end > len(content):
            raise UnreadableFile(_CUT_SHORT.format("PNG chunks"))
        (checksum,) = struct.unpack_from(">I", content, end - 4)
        if zlib.crc32(view[offset + 4 : end - 4]) != checksum:
            raise UnreadableFile("A checksum in the PNG is wrong: the file was damaged on its way.")
        if header is None:
            if kind != b"IHDR" or length != 13:
                raise UnreadableFile("The PNG does not begin with its header.")
            columns, rows, bits, color = struct.unpack_from(">IIBB", content, offset + 8)
            header = Header(rows, columns, bits, {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(color, 0))
        elif kind == b"acTL":
            raise MultiFrame("The PNG is animated: send one slice a file.")
        elif kind == b"eXIf":
            orientation = read_orientation(content[offset + 8 : end - 4])
        elif kind == b"IEND":
            return Header(header.rows, header.columns, header.bits, header.channels, orientation)
        offset = end


def read_jpeg(content: bytes) -> Header:
    """Read the frame header (JPEG, lossless JPEG and JPEG-LS). Raises `UnreadableFile` or `UnsupportedPixels`."""
    orientation = 1
    for marker, segment in _jpeg_segments(content):
        if marker == 0xE1 and segment.startswith(b"Exif\x00\x00"):
            orientation = read_orientation(segment[6:])
        elif marker in _SOF_MARKERS or marker == JPEG_LS_FRAME:
            if len(segment) < 6:
                break
            bits, rows, columns, channels = struct.unpack_from(">BHHB", segment)
            if content.count(b"\xff\xda") > _MAX_JPEG_SCANS:
                raise UnsupportedPixels(f"The JPEG has more than {_MAX_JPEG_SCANS} scans; save it as a baseline JPEG.")
            return Header(rows, columns, bits, channels, orientation, marker)
    raise UnreadableFile("The JPEG has no readable frame header.")


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 2
    while offset + 4 <= len(content):
        marker, length = struct.unpack_from(">xBH", content, offset)
        if content[offset] != 0xFF:
            return
        if marker == 0xFF:  # a fill byte
            offset += 1
        elif marker in _BARE_MARKERS:
            offset += 2
        elif marker == 0xDA or length < 2:
            return
        else:
            yield marker, content[offset + 4 : offset + 2 + length]
            offset += 2 + length


def read_jpeg2000(content: bytes) -> Header:
    """Read the SIZ segment of a code stream (bare, or inside a JP2 file); the largest where there are several.

    Raises `UnreadableFile`.
    """
    found: list[Header] = []
    start = content.find(_JPEG2000_START)
    while start >= 0 and start + 43 <= len(content):
        right, bottom, left, top = struct.unpack_from(">IIII", content, start + 8)
        channels, depth = struct.unpack_from(">HB", content, start + 40)
        found.append(Header(max(0, bottom - top), max(0, right - left), (depth & 0x7F) + 1, channels))
        start = content.find(_JPEG2000_START, start + 4)
    if not found:
        raise UnreadableFile("The JPEG 2000 code stream has no readable header.")
    return max(found, key=lambda header: header.rows * header.columns)


def read_webp(content: bytes) -> Header:
    """Read the chunks of a RIFF WebP. Raises `UnreadableFile` (cut short) or `MultiFrame` (animated)."""
    (size,) = struct.unpack_from("<I", content, 4)
    if size + 8 > len(content):
        raise UnreadableFile(_CUT_SHORT.format("WebP chunks"))
    header: Header | None = None
    orientation, offset = 1, 12
    while offset + 8 <= size + 8:
        kind, length = struct.unpack_from("<4sI", content, offset)
        body = content[offset + 8 : offset + 8 + min(length, 65_536)]
        if kind in {b"ANIM", b"ANMF"} or (kind == b"VP8X" and body[:1] and body[0] & 0x02):
            raise MultiFrame("The WebP is animated: send one slice a file.")
        if kind == b"EXIF":
            orientation = read_orientation(body.removeprefix(b"Exif\x00\x00"))
        elif header is None:
            header = _webp_size(kind, body)
        offset += 8 + length + (length & 1)
    if header is None:
        raise UnreadableFile("The WebP has no readable header.")
    return Header(header.rows, header.columns, 8, header.channels, orientation)


def _webp_size(kind: bytes, body: bytes) -> Header | None:
    if kind == b"VP8X" and len(body) >= 10:
        return Header(1 + int.from_bytes(body[7:10], "little"), 1 + int.from_bytes(body[4:7], "little"), channels=4)
    if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        columns, rows = struct.unpack_from("<HH", body, 6)
        return Header(rows & 0x3FFF, columns & 0x3FFF, channels=3)
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        packed = int.from_bytes(body[1:5], "little")
        return Header(1 + (packed >> 14 & 0x3FFF), 1 + (packed & 0x3FFF), channels=4)
    return None


def read_bmp(content: bytes) -> Header:
    """Read the DIB header; `bits` is per pixel here. Raises `UnreadableFile` or `UnsupportedPixels`."""
    if len(content) < 26:
        raise UnreadableFile(_CUT_SHORT.format("BMP header"))
    (size,) = struct.unpack_from("<I", content, 14)
    if size == 12:
        columns, rows, _, bits = struct.unpack_from("<HHHH", content, 18)
        return Header(rows, columns, bits)
    if size < 40 or len(content) < 34:
        raise UnreadableFile("The BMP has no readable header.")
    columns, rows, _, bits, compression = struct.unpack_from("<iiHHI", content, 18)
    if compression not in {0, 3}:
        raise UnsupportedPixels("The BMP is compressed; save it uncompressed, or as PNG.")
    return Header(abs(rows), abs(columns), bits)


def read_orientation(exif: bytes) -> int:
    """The orientation tag (1 to 8) of an EXIF block; 1 where there is none or the block is broken."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 10:
        return 1
    (start,) = struct.unpack_from(order + "I", exif, 4)
    if start + 2 > len(exif):
        return 1
    (count,) = struct.unpack_from(order + "H", exif, start)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(exif) - 11), 12):
        tag, kind, _, value = struct.unpack_from(order + "HHIH", exif, entry)
        if tag == 0x0112 and kind == 3:
            return value if 1 <= value <= 8 else 1
    return 1
