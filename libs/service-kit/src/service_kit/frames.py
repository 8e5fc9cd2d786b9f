"""A stream of envelopes: each an 8-byte little-endian length and a body as `service_kit.tensors` makes it.

Frames of progress hold no arrays; the last one holds the answer, or the problem that ended the work.
"""

import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import Any

from numpy.typing import NDArray
from pydantic import BaseModel

from service_kit.errors import InvalidRequest
from service_kit.tensors import Envelope, decode, encode_parts

MEDIA_TYPE = "application/vnd.neurogate.frames"

_LENGTH_BYTES = 8


def encode(arrays: Mapping[str, NDArray[Any]], result: BaseModel | None = None, **metadata: str) -> list[memoryview]:
    """One frame, in parts that share the arrays' memory."""
    parts = encode_parts(arrays, result, **metadata)
    return [memoryview(sum(map(len, parts)).to_bytes(_LENGTH_BYTES, "little")), *parts]


def progress(done: int, total: int) -> bytes:
    """A frame that says how far the work is; `total` is 0 while nobody knows how much there is."""
    return b"".join(encode({}, None, progress=json.dumps({"done": done, "total": total})))


def progress_of(envelope: Envelope) -> tuple[int, int] | None:
    """(done, total) where it is a frame of progress.

    Raises:
        InvalidRequest: its progress is none.
    """
    text = envelope.metadata.get("progress")
    if text is None:
        return None
    try:
        match json.loads(text):
            case {"done": int(done), "total": int(total)} if 0 <= done <= total:
                return done, total
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("a frame's progress is not JSON") from error
    raise InvalidRequest("a frame's progress must hold done and total, whole numbers with 0 <= done <= total")


class FrameReader:
    """Puts frames together from chunks that are cut anywhere. A frame has at most `max_frame_bytes`."""

    def __init__(self, max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._length = bytearray()
        self._body: bytearray | None = None
        self._filled = 0

    def feed(self, chunk: bytes) -> list[Envelope]:
        """The frames that `chunk` completes.

        Raises:
            InvalidRequest: a frame is empty, too long, or no envelope.
        """
        found = []
        rest = memoryview(chunk)
        while rest:
            if self._body is None:
                taken = rest[: _LENGTH_BYTES - len(self._length)]
                self._length += taken
                if len(self._length) == _LENGTH_BYTES:
                    self._begin(int.from_bytes(self._length, "little"))
            else:
                taken = rest[: len(self._body) - self._filled]
                self._body[self._filled : self._filled + len(taken)] = taken
                self._filled += len(taken)
                if self._filled == len(self._body):
                    body, self._body = self._body, None
                    self._length.clear()
                    found.append(decode(body))
            rest = rest[len(taken) :]
        return found

    def end(self) -> None:
        """The stream has ended.

        Raises:
            InvalidRequest: inside a frame.
        """
        if self._length or self._body is not None:
            raise InvalidRequest("the stream is cut short inside a frame")

    def _begin(self, length_bytes: int) -> None:
        if not 0 < length_bytes <= self._max_frame_bytes:
            raise InvalidRequest(f"a frame says {length_bytes} bytes; 1 to {self._max_frame_bytes} are read")
        # Memory that nothing is written to costs nothing: a length alone cannot fill it.
        self._body = bytearray(length_bytes)
        self._filled = 0


async def read_frames(chunks: AsyncIterable[bytes], *, max_frame_bytes: int) -> AsyncIterator[Envelope]:
    """The frames of a stream, each as soon as it is complete.

    Raises:
        InvalidRequest: as `FrameReader` does.
    """
    reader = FrameReader(max_frame_bytes)
    async for chunk in chunks:
        for envelope in reader.feed(chunk):
            yield envelope
    reader.end()
