"""An answer that takes long is never silent, and lets go of what it holds however it ends."""

import asyncio

import pytest
from starlette.types import Message

from service_kit import frames
from service_kit.progress_stream import ProgressResponse, Tell
from service_kit.tensors import Envelope


class Caller:
    """Reads frames; is gone when the test says so."""

    def __init__(self) -> None:
        self.found: list[Envelope] = []
        self.gone = asyncio.Event()
        self.arrived = asyncio.Event()
        self._reader = frames.FrameReader(1000)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.found += self._reader.feed(bytes(message.get("body", b"")))
        if len(self.found) >= 4:
            self.arrived.set()


async def test_long_silence_is_broken_by_what_was_told_last() -> None:
    caller = Caller()
    released: list[bool] = []

    async def work(tell: Tell) -> list[memoryview]:
        tell(1, 3)
        await caller.arrived.wait()
        return frames.encode({}, None, note="done")

    response = ProgressResponse(work, release=lambda: released.append(True), beat_s=0.01)
    await response({"type": "http"}, caller.receive, caller.send)
    *steps, last = caller.found
    assert last.metadata == {"note": "done"}
    told = [frames.progress_of(step) for step in steps]
    assert told[0] == (0, 0)
    assert told.count((1, 3)) >= 3
    assert set(told) == {(0, 0), (1, 3)}
    assert released == [True]


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_caller_that_is_gone_cancels_the_work_and_releases(at_once: bool) -> None:
    caller = Caller()
    released: list[bool] = []
    canceled = asyncio.Event()

    async def work(tell: Tell) -> list[memoryview]:
        if not at_once:
            caller.gone.set()
        try:
            await asyncio.Event().wait()
        finally:
            canceled.set()
        return []

    if at_once:
        caller.gone.set()
    response = ProgressResponse(work, release=lambda: released.append(True))
    await response({"type": "http"}, caller.receive, caller.send)
    assert released == [True]
    if not at_once:
        await canceled.wait()
