import zipfile

import pytest

from gateway.imaging.archive import is_zip, unpack
from gateway.imaging.errors import ArchiveRefused, EmptyFile, FileTooLarge, VolumeTooLarge
from gateway.imaging.volume_limits import VolumeLimits
from service_kit.errors import ServiceError
from tests.unit.gateway_volumes import archives

LIMITS = VolumeLimits()
GOOD = {"patient/series/1.dcm": b"one", "patient/series/2.dcm": b"two", "patient/": b""}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_files_come_out_in_order_without_folders_and_clutter(method: int) -> None:
    content = archives.zip_of({**GOOD, "__MACOSX/._1.dcm": b"x", "a/.DS_Store": b"y", "empty.dcm": b""}, method)
    assert is_zip(content)
    assert [(member.name, member.content) for member in unpack(content, LIMITS)] == [
        ("1.dcm", b"one"),
        ("2.dcm", b"two"),
    ]


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (archives.zip_of({}), EmptyFile, "no files"),
        (archives.zip_of({"a.dcm": b""}), EmptyFile, "no files"),
        (archives.zip_of({"a.zip": archives.zip_of(GOOD)}), ArchiveRefused, "further archives"),
        (archives.zip_of({"../../etc/passwd": b"x"}), ArchiveRefused, "leads out"),
        (archives.zip_of({"..\\windows": b"x"}), ArchiveRefused, "leads out"),
        (archives.zip_of({"/etc/passwd": b"x"}), ArchiveRefused, "leads out"),
        (archives.zip_of({"C:/x.dcm": b"x"}), ArchiveRefused, "leads out"),
        (archives.with_link("/etc/passwd"), ArchiveRefused, "links"),
        (archives.encrypted(), ArchiveRefused, "encrypted"),
        (archives.zip_of(GOOD, zipfile.ZIP_LZMA), ArchiveRefused, "deflate"),
        (archives.zip_of(GOOD, zipfile.ZIP_BZIP2), ArchiveRefused, "deflate"),
        (archives.zip_of(GOOD)[:-30], ArchiveRefused, "damaged"),
        (archives.zip_of(GOOD)[40:], ArchiveRefused, "damaged"),
        (archives.lying(5, b"slice" * 100), ArchiveRefused, "damaged"),
        (b"PK\x03\x04" + bytes(100), ArchiveRefused, "damaged"),
    ],
)
def test_refused_with_a_reason(content: bytes, error: type[ServiceError], says: str) -> None:
    with pytest.raises(error, match=says):
        unpack(content, LIMITS)


def test_a_wrong_checksum_is_found() -> None:
    content = bytearray(archives.zip_of({"a.dcm": b"slice" * 100}, zipfile.ZIP_STORED))
    content[content.index(b"slice")] ^= 0xFF
    with pytest.raises(ArchiveRefused, match="damaged"):
        unpack(bytes(content), LIMITS)


def test_bombs_are_refused() -> None:
    bomb = archives.zip_of({f"{n}.dcm": bytes(10**6) for n in range(20)})
    assert len(bomb) < 10**5
    with pytest.raises(VolumeTooLarge, match="says that it unpacks to 20000000"):
        unpack(bomb, VolumeLimits(max_inflated_bytes=10**7))
    with pytest.raises(VolumeTooLarge, match="entries"):
        unpack(bomb, VolumeLimits(max_files=10))
    with pytest.raises(FileTooLarge):
        unpack(bomb, VolumeLimits(max_file_bytes=100))
