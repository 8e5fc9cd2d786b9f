"""Where the files of an analysis go that may be answered at once: a slice into memory, a volume to the blob store."""

from gateway.analysis import queued_analysis
from gateway.api.form import FileHead
from gateway.api.sinks import BlobSink, MemorySink
from gateway.blobs.port import BlobStore
from gateway.imaging.errors import FileTooLarge
from gateway.imaging.formats import holds_slices, is_picture, sniff
from gateway.imaging.volume_limits import VolumeLimits
from gateway.schemas import Analysis

_TELLING_BYTES = 352
"""A NIfTI header's magic ends here; all other formats say what they are before."""


class ArrivalSink:
    """Implements `FileSink`. Begins in memory; turns to the blob store at the first sign of a volume.

    Signs are a volume's or an archive's first bytes, a second file of one name, and a DICOM file larger than a slice.

    Attributes:
        parts: what lies in memory, of a slice.
        analysis: the job that a volume will be, and `spool` its uploads; None while it may be a slice.
    """

    def __init__(self, blobs: BlobStore, limits: VolumeLimits, *, max_picture_bytes: int) -> None:
        self._blobs = blobs
        self._limits = limits
        self._max_picture_bytes = max_picture_bytes
        self._memory = MemorySink()
        self._head: FileHead | None = None
        self._chunks: list[bytes] = []
        self._size = 0
        self._told = False
        self.analysis: Analysis | None = None
        self.spool: BlobSink | None = None

    @property
    def memory(self) -> MemorySink:
        """The files that stayed in memory."""
        return self._memory

    async def begin(self, head: FileHead) -> None:
        """See the port."""
        self._head, self._chunks, self._size, self._told = head, [], 0, False
        if self.spool is None and any(part.name == head.name for part in self._memory.parts):
            await self._turn()
        if self.spool is not None:
            await self.spool.begin(head)

    async def write(self, chunk: bytes) -> None:
        """See the port. Raises `FileTooLarge` for a picture, `UnsupportedFormat` for what no decoder takes."""
        self._size += len(chunk)
        if self.spool is None:
            self._chunks.append(chunk)
            await self._look()
        else:
            await self.spool.write(chunk)

    async def end(self) -> None:
        """See the port."""
        if self.spool is None and not self._told:
            await self._look(whole=True)
        if self.spool is not None:
            await self.spool.end()
            return
        assert self._head is not None  # noqa: S101 - begin comes first
        await self._memory.begin(self._head)
        for chunk in self._chunks:
            await self._memory.write(chunk)
        await self._memory.end()
        self._chunks = []

    async def abort(self) -> None:
        """See the port."""
        self._chunks = []
        if self.spool is not None:
            await self.spool.abort()

    async def _look(self, *, whole: bool = False) -> None:
        """Turn where the file that arrives is none that is answered at once."""
        if not self._told and (whole or self._size >= _TELLING_BYTES):
            self._told = True
            head = b"".join(self._chunks)[:_TELLING_BYTES]
            if not holds_slices(head):
                await self._turn(unfinished=True)
                return
            if head:
                sniff(head)
        if self._size > self._max_picture_bytes:
            if is_picture(b"".join(self._chunks[:1])):
                raise FileTooLarge(f"The picture has more than {self._max_picture_bytes} bytes.")
            await self._turn(unfinished=True)

    async def _turn(self, *, unfinished: bool = False) -> None:
        self.analysis = queued_analysis()
        self.spool = BlobSink(self._blobs, self.analysis.id, self._limits, of_volume=True)
        for part in self._memory.parts:
            await self.spool.begin(FileHead(part.name, part.filename, part.content_type))
            await self.spool.write(part.content)
            await self.spool.end()
        self._memory = MemorySink()
        if unfinished and self._head is not None:
            await self.spool.begin(self._head)
            for chunk in self._chunks:
                await self.spool.write(chunk)
            self._chunks = []
