"""Zip archives -> the files in them, in memory and within limits. Nothing is ever written by an archive's names."""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from gateway.imaging.errors import ArchiveRefused, EmptyFile, FileTooLarge, VolumeTooLarge
from gateway.imaging.volume_limits import VolumeLimits

ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
_END_OF_DIRECTORY: Final = b"PK\x05\x06"
END_BYTES: Final = 65_535 + 22
"""The longest comment, and the record before it that an archive ends with."""
_MAX_ENTRY_BYTES: Final = 2048
_ENCRYPTED: Final = 0x1
_LINK: Final = 0xA
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, LookupError,
    NotImplementedError, RuntimeError,
)  # fmt: skip
_DAMAGED: Final = "The zip archive is damaged or cut short. Pack it again."
# What operating systems put beside the files.
_CLUTTER: Final = frozenset({"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive. `name` is its last part; it may name the patient, so it is never repeated."""

    name: str
    content: bytes


def is_zip(content: bytes) -> bool:
    """Whether the bytes begin as a zip archive does."""
    return content.startswith(ZIP_MAGIC)


def unpack(content: bytes, limits: VolumeLimits) -> list[Member]:
    """The files of an archive, without folders and without what operating systems add.

    Raises:
        FileTooLarge, VolumeTooLarge: bytes sent, entries, or bytes unpacked beyond the limits.
        ArchiveRefused: damaged, encrypted, another compression than deflate, archives inside, links, names that lead
            out of the archive.
        EmptyFile: no files.
    """
    if len(content) > limits.max_file_bytes:
        raise FileTooLarge(f"The archive has {len(content)} bytes; at most {limits.max_file_bytes} are accepted.")
    check_directory(content, limits)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_entries(entries, limits)
            wanted = [entry for entry in entries if _CLUTTER.isdisjoint(PurePosixPath(entry.filename).parts)]
            members = _read(archive, wanted, limits)
    except _ZIP_ERRORS as error:
        raise ArchiveRefused(_DAMAGED) from error
    if not members:
        raise EmptyFile("The zip archive has no files.")
    if any(is_zip(member.content) for member in members):
        raise ArchiveRefused("The zip archive holds further archives. Pack the files themselves, in one archive.")
    return members


def check_directory(content: bytes, limits: VolumeLimits) -> None:
    """Judge an archive, or its last `END_BYTES`: the library reads all of a directory into objects.

    Raises `ArchiveRefused` where it is cut short, `VolumeTooLarge` for too many entries.
    """
    at = content.rfind(_END_OF_DIRECTORY, max(0, len(content) - END_BYTES))
    if at < 0 or at + 22 > len(content):
        raise ArchiveRefused(_DAMAGED)
    count, size_bytes = struct.unpack_from("<HI", content, at + 10)
    if count > limits.max_files or size_bytes > limits.max_files * _MAX_ENTRY_BYTES:
        raise VolumeTooLarge(f"The zip archive has more than {limits.max_files} entries.")


def _check_entries(entries: list[zipfile.ZipInfo], limits: VolumeLimits) -> None:
    if len(entries) > limits.max_files:
        raise VolumeTooLarge(f"The zip archive has {len(entries)} files; at most {limits.max_files} are accepted.")
    total = sum(entry.file_size for entry in entries)
    if total > limits.max_inflated_bytes:
        raise VolumeTooLarge(
            f"The zip archive says that it unpacks to {total} bytes; at most {limits.max_inflated_bytes} are accepted."
        )
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED:
            raise ArchiveRefused("The zip archive is encrypted. Send it without a password.")
        if entry.compress_type not in _METHODS:
            raise ArchiveRefused("The zip archive is packed by another method than deflate. Pack it again.")
        if entry.external_attr >> 28 == _LINK:
            raise ArchiveRefused("The zip archive holds links. Pack the files themselves.")
        if _leads_out(entry.orig_filename):
            raise ArchiveRefused("A name in the zip archive leads out of it (absolute, or with '..'). Pack it again.")


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0] or "\0" in name


def _read(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], limits: VolumeLimits) -> list[Member]:
    members: list[Member] = []
    left = limits.max_inflated_bytes
    for entry in entries:
        with archive.open(entry) as file:
            # The declared size is hearsay: what really unpacks counts.
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise VolumeTooLarge(f"The zip archive unpacks to more than {limits.max_inflated_bytes} bytes.")
        if content:
            members.append(Member(PurePosixPath(entry.filename).name, content))
    return members
