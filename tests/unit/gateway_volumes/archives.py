"""Zip archives, honest and otherwise."""

import io
import struct
import zipfile


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def with_link(target: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo("slice.dcm")
        entry.create_system = 3
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, target)
    return out.getvalue()


def encrypted() -> bytes:
    """An archive whose entry says that it is encrypted."""
    content = bytearray(zip_of({"a.dcm": b"x" * 100}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.index(mark)
        content[start + at] |= 1
    return bytes(content)


def lying(claimed_bytes: int, content: bytes) -> bytes:
    """An archive whose entry says that it is smaller than it is."""
    packed = bytearray(zip_of({"a.dcm": content}))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", packed, packed.index(mark) + at, claimed_bytes)
    return bytes(packed)
