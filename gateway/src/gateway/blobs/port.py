"""What a blob store does. `gateway.blobs.files` has it on a file system."""

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple, Protocol

from gateway.analysis_id import is_analysis_id

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


class BlobKey(NamedTuple):
    """The analysis that a blob belongs to, and its name there. Neither holds a word of what was sent."""

    owner: str
    name: str

    def checked(self) -> "BlobKey":
        """Itself. Raises `ValueError` for a key that is no plain name: it may become a path."""
        if not is_analysis_id(self.owner) or not _NAME.fullmatch(self.name) or ".." in self.name:
            raise ValueError("not a blob's key")
        return self


class Owner(NamedTuple):
    """An analysis of which there are blobs; `age_s` is the time since the newest was written."""

    id: str
    age_s: float


class BlobWriter(Protocol):
    """A blob that is being written."""

    async def write(self, chunk: bytes) -> None:
        """Append."""


class BlobStore(Protocol):
    """Blobs by key. A blob is there whole or not at all. What cannot be reached raises `NotReady`."""

    def create(self, key: BlobKey) -> AbstractAsyncContextManager[BlobWriter]:
        """Write a blob: it is there, and durable, when the context ends without an error."""

    def open(self, key: BlobKey) -> AsyncIterator[bytes]:
        """The blob in chunks. Raises `NotFound` at the first."""

    async def delete(self, owner: str, *, uploads_alone: bool = False) -> bool:
        """Erase all blobs of an analysis, or its uploads alone; whether there were any."""

    def owners(self) -> AsyncIterator[Owner]:
        """Every analysis that has blobs."""

    async def ready(self) -> bool:
        """Whether blobs can be written."""


FINDINGS: Final = "findings"
"""The blob of what was found in a volume."""
UPLOAD: Final = "upload-"
"""How the names of uploads begin, which go when the job is finished."""
FILE: Final = "file-"
"""How the names of files begin that were rendered of a volume's findings."""


async def read(blobs: BlobStore, key: BlobKey) -> bytes:
    """The whole blob. Raises `NotFound`."""
    return b"".join([chunk async for chunk in blobs.open(key)])
