"""A picture's file without a word beside its pixels: what may be kept of an upload, at a fraction of the pixels' size.

PNG and gray JPEG alone: these decode to the same pixels whatever metadata they lose. Text, EXIF, thumbnails, profiles
and whatever follows the picture's end are left out.
"""

import re
import struct

from gateway.findings import BareFile
from gateway.imaging.headers import read_jpeg, read_png

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
# Frame (baseline, extended, progressive), Huffman tables, quantization tables, restart interval.
_JPEG_KEPT = frozenset({0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD})
_SCAN, _END = 0xDA, b"\xff\xd9"
# In a scan's coded bytes FF is followed by 00, by a restart marker, or by a fill byte; anything else ends the scan.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def strip_picture(content: bytes, kind: str) -> BareFile | None:
    """The file `content` of format `kind` without metadata; None where it is not for sure that nothing else changes.

    `content` is one that `decode_study` has taken.
    """
    if kind == "png" and read_png(content).orientation == 1:
        return BareFile("png", _strip_png(content))
    if kind == "jpeg":
        header = read_jpeg(content)
        # The meaning of color channels depends on what is left out.
        bare = _strip_jpeg(content) if (header.channels, header.orientation) == (1, 1) else None
        return None if bare is None else BareFile("jpeg", bare)
    return None


def _strip_png(content: bytes) -> bytes:
    kept, offset = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    while True:
        length, kind = struct.unpack_from(">I4s", content, offset)
        end = offset + 12 + length
        if kind in _PNG_KEPT:
            kept.append(content[offset:end])
        if kind == b"IEND":
            return b"".join(kept)
        offset = end


def _strip_jpeg(content: bytes) -> bytes | None:
    kept, offset = [b"\xff\xd8"], 2
    while content[offset : offset + 2] != _END:
        if offset + 4 > len(content) or content[offset] != 0xFF:
            return None
        marker, length = struct.unpack_from(">xBH", content, offset)
        end = offset + 2 + length
        if marker == _SCAN:
            following = _MARKER.search(content, end)
            if following is None:
                return None
            end = following.start()
        if marker == _SCAN or marker in _JPEG_KEPT:
            kept.append(content[offset:end])
        elif not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            return None
        offset = end
    return b"".join([*kept, _END])
