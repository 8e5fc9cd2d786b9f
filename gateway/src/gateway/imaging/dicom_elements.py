"""Picks single elements out of a DICOM data set without parsing the rest.

A library that parses all of a hostile file can be kept busy for minutes by nested junk. Here every element that is
passed costs little and is counted; and what was not asked for (names, dates, identifiers) is never parsed at all.
"""

import struct
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from gateway.imaging.errors import UnreadableFile

PIXEL_DATA: Final = 0x7FE00010
MAX_ELEMENTS: Final = 30_000
"""A single slice has some hundred elements, with vendors' private sequences some thousand."""

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED: Final = 0xFFFFFFFF
_MAX_DEPTH: Final = 16
_LONG_VRS: Final = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
_CUT_SHORT: Final = "The DICOM file is cut short: an element ends beyond the file."


@dataclass(slots=True)
class ElementReader:
    """Walks a data set that starts at `start` of `content`; byte order and VR style are told from its first element."""

    content: bytes
    start: int
    max_elements: int = MAX_ELEMENTS
    _order: str = field(init=False)
    _explicit: bool = field(init=False)
    _passed: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        head = self.content[self.start : self.start + 6]
        self._order = ">" if head[:1] == b"\0" else "<"
        self._explicit = head[4:6].isalpha() and head[4:6].isupper()

    @property
    def transfer_syntax(self) -> str:
        """The uncompressed transfer syntax of this byte order and VR style."""
        if self._order == ">":
            return "1.2.840.10008.1.2.2"
        return "1.2.840.10008.1.2.1" if self._explicit else "1.2.840.10008.1.2"

    def pick(self, wanted: Collection[int], *, last_group: int) -> bytes:
        """The bytes of the top-level elements whose tags are `wanted`, up to group `last_group`.

        Raises `UnreadableFile` where the file is cut short, nested too deep, or of too many elements.
        """
        picked: list[bytes] = []
        offset = self.start
        while offset + 8 <= len(self.content):
            tag = self._tag(offset)
            if tag >> 16 > last_group or tag > PIXEL_DATA:
                break
            end = self._end_of_element(offset, tag, explicit=self._explicit, depth=0)
            if tag in wanted:
                picked.append(self.content[offset:end])
            offset = end
        return b"".join(picked)

    def _tag(self, offset: int) -> int:
        if offset + 8 > len(self.content):
            raise UnreadableFile(_CUT_SHORT)
        group, element = struct.unpack_from(self._order + "HH", self.content, offset)
        return int(group << 16 | element)

    def _end_of_element(self, offset: int, tag: int, *, explicit: bool, depth: int) -> int:
        self._count()
        size_at, value_at, size_of = offset + 4, offset + 8, "I"
        vr = self.content[offset + 4 : offset + 6]
        if explicit and vr in _LONG_VRS:
            size_at, value_at = offset + 8, offset + 12
        elif explicit:
            size_at, size_of = offset + 6, "H"
        if value_at > len(self.content):
            raise UnreadableFile(_CUT_SHORT)
        (length,) = struct.unpack_from(self._order + size_of, self.content, size_at)
        if length == _UNDEFINED:
            # An unknown VR of undefined length holds a sequence with implicit VRs.
            return self._end_of_items(value_at, tag, explicit=explicit and vr != b"UN", depth=depth)
        end = value_at + int(length)
        if end > len(self.content) and tag != PIXEL_DATA:
            raise UnreadableFile(_CUT_SHORT)
        return end

    def _end_of_items(self, offset: int, tag: int, *, explicit: bool, depth: int) -> int:
        if depth > _MAX_DEPTH:
            raise UnreadableFile("The DICOM file's sequences are nested too deep.")
        while True:
            self._count()
            delimiter = self._tag(offset)
            (length,) = struct.unpack_from(self._order + "I", self.content, offset + 4)
            offset += 8
            if delimiter == _SEQUENCE_END:
                return offset
            if delimiter != _ITEM:
                raise UnreadableFile("The DICOM file's sequences are damaged.")
            if length != _UNDEFINED:
                offset += int(length)
            elif tag == PIXEL_DATA:
                raise UnreadableFile("A fragment of the DICOM pixels has no length.")
            else:
                offset = self._end_of_item(offset, explicit=explicit, depth=depth + 1)

    def _end_of_item(self, offset: int, *, explicit: bool, depth: int) -> int:
        while (tag := self._tag(offset)) != _ITEM_END:
            offset = self._end_of_element(offset, tag, explicit=explicit, depth=depth)
        return offset + 8

    def _count(self) -> None:
        self._passed += 1
        if self._passed > self.max_elements:
            raise UnreadableFile(
                f"The DICOM file has more than {self.max_elements} elements, far more than a slice has."
            )
