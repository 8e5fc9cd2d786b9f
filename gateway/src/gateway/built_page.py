"""The built page: the files that Vite wrote into the package, in memory once they were asked for."""

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

INDEX: Final = "index.html"
ASSETS: Final = "assets"
"""The folder whose files have a hash of their content in their names."""
_TEXT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
_PACKED_TYPES: Final = {
    ".dcm": "application/dicom",
    ".gz": "application/gzip",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".zip": "application/zip",
}
_UNKNOWN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file: its bytes, the same gzipped where that is smaller, and the digest that its ETag is made of."""

    content: bytes
    gzipped: bytes | None
    media_type: str
    digest: str


class BuiltPage:
    """The files below `folder`, listed once: what is not on the list is not served, whatever the path says.

    Attributes:
        names: paths below the folder, with "/" between their parts; empty where nothing was built.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = {
            path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
        }
        self._read: dict[str, PageFile] = {}
        self.names = tuple(self._paths)

    def read(self, name: str) -> PageFile | None:
        """The file; None where there is none of this name. Reads and gzips it the first time: call it in a thread."""
        known = self._read.get(name)
        if known is None and (path := self._paths.get(name)) is not None:
            known = self._read[name] = _page_file(path)
        return known

    def at_hand(self, name: str) -> PageFile | None:
        """The file if it was read before."""
        return self._read.get(name)


def packaged_page() -> Path:
    """Where the package has its page, if it was built: `make web`."""
    return Path(str(files("gateway"))) / "web" / "dist"


def _page_file(path: Path) -> PageFile:
    content = path.read_bytes()
    text_type = _TEXT_TYPES.get(path.suffix)
    gzipped = None
    if text_type is not None:
        gzipped = gzip.compress(content, mtime=0)
        if len(gzipped) >= len(content):
            gzipped = None
    media_type = text_type or _PACKED_TYPES.get(path.suffix, _UNKNOWN_TYPE)
    return PageFile(content, gzipped, media_type, hashlib.sha256(content).hexdigest()[:32])
