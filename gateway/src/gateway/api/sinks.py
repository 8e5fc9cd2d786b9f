"""Where the files of a form go: into memory, or into the blob store."""

import contextlib

from gateway.api.form import FileHead
from gateway.blobs.port import UPLOAD, BlobKey, BlobStore, BlobWriter
from gateway.imaging.decode import Part
from gateway.imaging.errors import PartsConflict
from gateway.imaging.first_look import HEAD_BYTES, TAIL_BYTES, check_head, check_tail
from gateway.imaging.volume_limits import VolumeLimits
from gateway.order import Upload, plain_filename


class MemorySink:
    """Implements `FileSink` for files that are answered at once."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._chunks: list[bytes] = []
        self._head: FileHead | None = None

    async def begin(self, head: FileHead) -> None:
        """See the port."""
        self._head, self._chunks = head, []

    async def write(self, chunk: bytes) -> None:
        """See the port."""
        self._chunks.append(chunk)

    async def end(self) -> None:
        """See the port."""
        assert self._head is not None  # noqa: S101 - begin comes first
        head = self._head
        self.parts.append(Part(head.name, head.filename, b"".join(self._chunks), head.content_type))
        self._chunks = []

    async def abort(self) -> None:
        """See the port."""
        self._chunks = []


class BlobSink:
    """Implements `FileSink` for the files of a job: each becomes a blob of `owner`.

    Refuses by a file's first and last bytes what no decoder takes. `of_volume`: the files are of one, and no picture.
    """

    def __init__(self, blobs: BlobStore, owner: str, limits: VolumeLimits, *, of_volume: bool = False) -> None:
        self._limits = limits
        self._of_volume = of_volume
        self._tail = b""
        self.uploads: list[Upload] = []
        self._blobs = blobs
        self._owner = owner
        self._head: FileHead | None = None
        self._start = b""
        self._size = 0
        self._writer: BlobWriter | None = None
        self._open = contextlib.AsyncExitStack()

    async def begin(self, head: FileHead) -> None:
        """See the port."""
        self._head, self._start, self._tail, self._size, self._writer = head, b"", b"", 0, None

    async def write(self, chunk: bytes) -> None:
        """See the port."""
        self._size += len(chunk)
        self._tail = (self._tail + chunk)[-TAIL_BYTES:] if len(chunk) < TAIL_BYTES else chunk[-TAIL_BYTES:]
        if self._writer is not None:
            await self._writer.write(chunk)
            return
        self._start += chunk
        if len(self._start) >= HEAD_BYTES:
            await self._begin_blob()

    async def end(self) -> None:
        """See the port."""
        if self._writer is None:
            await self._begin_blob()
        check_tail(self._start, self._tail, self._limits)
        await self._open.aclose()
        assert self._head is not None  # noqa: S101 - begin comes first
        filename = plain_filename(self._head.filename)
        self.uploads.append(
            Upload(name=self._head.name, filename=filename, blob=self._blob_name(), size_bytes=self._size)
        )

    async def abort(self) -> None:
        """See the port. An upload that was begun is discarded."""
        with contextlib.suppress(_Aborted):
            await self._open.__aexit__(_Aborted, _Aborted(), None)

    def finish(self) -> None:
        """The form has ended. Raises `PartsConflict` where it held no file."""
        if not self.uploads:
            raise PartsConflict("No file was sent: send one part 'file', or parts named by sequence.")

    async def _begin_blob(self) -> None:
        check_head(self._start, self._limits, of_volume=self._of_volume)
        self._writer = await self._open.enter_async_context(self._blobs.create(BlobKey(self._owner, self._blob_name())))
        await self._writer.write(self._start)
        self._start = self._start[:HEAD_BYTES]

    def _blob_name(self) -> str:
        return f"{UPLOAD}{len(self.uploads)}"


class _Aborted(Exception):
    """Ends a blob's context without the blob."""
