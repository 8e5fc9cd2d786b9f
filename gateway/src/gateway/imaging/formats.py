"""What a file is, told from its first bytes. Formats that are not taken are named, so that the caller knows."""

from gateway.imaging.errors import UnsupportedFormat
from gateway.imaging.study import Format

ACCEPTED = (
    "Accepted are slices as PNG, JPEG, WebP, TIFF, BMP or DICOM, series as DICOM files, volumes as NIfTI, and zip "
    "archives of the latter two."
)

NAMES: dict[Format, str] = {
    "png": "a PNG picture",
    "jpeg": "a JPEG picture",
    "webp": "a WebP picture",
    "tiff": "a TIFF picture",
    "bmp": "a BMP picture",
    "dicom": "a DICOM file",
}
EXTENSIONS: dict[str, Format] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".bmp": "bmp",
    ".dcm": "dicom",
    ".dicom": "dicom",
    ".ima": "dicom",
}

_MAGIC: tuple[tuple[int, bytes, Format], ...] = (
    (128, b"DICM", "dicom"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (0, b"BM", "bmp"),
)
_ALONE = "It is no slice: send volumes and series to /v1/analyses."
_REFUSED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", "a GIF picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", f"a zip archive. {_ALONE}"),
    (0, b"\x1f\x8b", "a gzip archive, but no NIfTI volume"),
    (344, b"n+1\x00", f"a NIfTI volume. {_ALONE}"),
    (344, b"ni1\x00", f"a NIfTI header. {_ALONE}"),
    (4, b"n+2\x00", f"a NIfTI-2 volume. {_ALONE}"),
    (0, b"NRRD", f"an NRRD volume. {_ALONE}"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"II+\x00", "a BigTIFF picture"),
    (0, b"MM\x00+", "a BigTIFF picture"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 code stream"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (4, b"ftyp", "a HEIF, AVIF or MP4 file"),
    (0, b"8BPS", "a Photoshop picture"),
    (0, b"\x00\x00\x01\x00", "an icon"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"<svg", "an SVG drawing"),
)


_PICTURES = frozenset({"png", "jpeg", "webp", "tiff", "bmp"})
_VOLUMES: tuple[tuple[int, bytes], ...] = (
    (0, b"PK\x03\x04"),
    (0, b"\x1f\x8b"),
    (344, b"n+1\x00"),
    (344, b"ni1\x00"),
    (4, b"n+2\x00"),
    (4, b"ni2\x00"),
)


def holds_slices(head: bytes) -> bool:
    """Whether a file with this beginning may be a slice: it is neither NIfTI nor compressed nor an archive."""
    return not any(head.startswith(magic, offset) for offset, magic in _VOLUMES)


def is_picture(head: bytes) -> bool:
    """Whether it is a picture in a format that holds one slice, as DICOM need not."""
    return any(head.startswith(magic, offset) for offset, magic, kind in _MAGIC if kind in _PICTURES)


def sniff(content: bytes) -> Format:
    """The format of `content`. Raises `UnsupportedFormat`, naming what the file is where that is known."""
    for offset, magic, kind in _MAGIC:
        if content.startswith(magic, offset):
            return kind
    if content.startswith(b"RIFF") and content.startswith(b"WEBP", 8):
        return "webp"
    if _is_bare_dicom(content):
        return "dicom"
    for offset, magic, name in _REFUSED:
        if content.startswith(magic, offset):
            raise UnsupportedFormat(f"The file is {name.rstrip('.')}. {ACCEPTED}")
    if _is_text(content[:512]):
        raise UnsupportedFormat(f"The file is text, not a picture. {ACCEPTED}")
    raise UnsupportedFormat(f"The file's first bytes are of no known picture format. {ACCEPTED}")


def _is_text(head: bytes) -> bool:
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)


def _is_bare_dicom(content: bytes) -> bool:
    """DICOM without the preamble: the first element is of group 2 or 8, in either byte order."""
    little = content[1:2] == b"\0" and content[3:4] == b"\0" and content[:1] in {b"\x02", b"\x08"}
    big = content[:3] == b"\0\x08\0"
    return len(content) > 16 and (little or big)
