"""Models that are opened when they are first asked for, a few of them in memory at the same time."""

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

from numpy.typing import NDArray

from service_kit.contracts.common import ModelRef
from service_kit.errors import NotReady
from service_kit.inference.backend import Arrays, InferenceBackend, model_ref
from service_kit.inference.manifest import ModelManifest

_log = logging.getLogger(__name__)

NOT_LOADED = "not loaded"
"""The provider of a model that is not in memory: nobody knows what it would run on until it does."""

Opener = Callable[[], InferenceBackend]


class _Place:
    """One model in memory, or on its way there, with the calls that wait for it or are in it."""

    def __init__(self) -> None:
        self.backend: InferenceBackend | None = None
        self.opening: asyncio.Task[InferenceBackend] | None = None
        self.calls = 0
        self.idle = asyncio.Event()

    def enter(self) -> None:
        self.calls += 1
        self.idle.clear()

    def leave(self) -> None:
        self.calls -= 1
        if not self.calls:
            self.idle.set()


class ModelPool:
    """At most `capacity` opened models; the one that was not used for the longest makes room for the next.

    One is opened at a time, in a thread. A caller that gives up waiting does not stop the opening: the next one
    finds the model there. A model that makes room takes no new calls, and is closed when its last one is answered.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._places: dict[str, _Place] = {}  # the least recently used first
        self._turn = asyncio.Lock()
        self._closed = False

    def holds(self, name: str) -> bool:
        """Whether the model is in memory, and has not been told to make room."""
        place = self._places.get(name)
        return place is not None and place.backend is not None

    @contextlib.asynccontextmanager
    async def lease(self, name: str, opener: Opener) -> AsyncIterator[InferenceBackend]:
        """The model, opened where it is not; it stays open inside.

        Raises:
            ModelInvalid: it cannot be served.
            NotReady: the pool is being closed.
        """
        if self._closed:
            raise NotReady(f"{name} is being closed")
        place = self._places.pop(name, None) or self._new_place(name, opener)
        self._places[name] = place
        place.enter()
        try:
            if place.opening is not None:
                await asyncio.shield(place.opening)
            assert place.backend is not None  # noqa: S101 - the opening set it, or raised
            yield place.backend
        finally:
            place.leave()

    async def aclose(self) -> None:
        """Wait for what is being opened, close everything."""
        self._closed = True
        openings = [place.opening for place in self._places.values() if place.opening is not None]
        await asyncio.gather(*openings, return_exceptions=True)
        while self._places:
            place = self._places.pop(next(iter(self._places)))
            if place.backend is not None:
                await place.backend.aclose()

    def _new_place(self, name: str, opener: Opener) -> _Place:
        place = _Place()
        # A context of its own: the opening belongs to all who wait for it, and knows no one's deadline.
        work = self._open(name, place, opener)
        place.opening = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        place.opening.add_done_callback(_note_failure)
        return place

    async def _open(self, name: str, place: _Place, opener: Opener) -> InferenceBackend:
        async with self._turn:
            try:
                await self._make_room()
                place.backend = await asyncio.to_thread(opener)
            except BaseException:
                self._places.pop(name, None)
                raise
        place.opening = None
        _log.info("%s was opened", name)
        return place.backend

    async def _make_room(self) -> None:
        opened = [name for name, place in self._places.items() if place.backend is not None]
        for name in opened[: max(0, len(opened) + 1 - self._capacity)]:
            place = self._places.pop(name)
            await place.idle.wait()
            if place.backend is not None:
                await place.backend.aclose()
            _log.info("%s made room", name)


def _note_failure(opening: asyncio.Task[InferenceBackend]) -> None:
    # Where every caller has given up, nobody else asks for the reason.
    if not opening.cancelled() and (error := opening.exception()) is not None:
        _log.error("a model could not be opened: %s", error)


class OnDemandBackend:
    """A published model that is opened at its first call, and again after it had to make room.

    Until then `ref.provider` is "not loaded"; afterwards it is the one that the last answer came from.
    """

    def __init__(
        self,
        manifest: ModelManifest,
        pool: ModelPool,
        opener: Opener,
        *,
        engine: Literal["onnxruntime", "triton"],
        provider: str,
    ) -> None:
        self.manifest = manifest
        self.requested_provider = provider
        self.ref: ModelRef = model_ref(manifest, engine, NOT_LOADED)
        self._engine: Literal["onnxruntime", "triton"] = engine
        self._pool = pool
        self._opener = opener
        self._closed = False

    @property
    def loaded(self) -> bool:
        """Whether it is in memory."""
        return self._pool.holds(self.manifest.name)

    @property
    def present_ref(self) -> ModelRef:
        """`ref` as it is at this moment: a model that had to make room is not loaded any more."""
        return self.ref if self.loaded else model_ref(self.manifest, self._engine, NOT_LOADED)

    async def infer(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """See `InferenceBackend.infer`. The first call waits for the opening.

        Raises:
            ModelInvalid: the model cannot be served.
        """
        async with self._pool.lease(self.manifest.name, self._opener) as backend:
            outputs = await backend.infer(arrays)
            self.ref = backend.ref
            return outputs

    async def ready(self) -> bool:
        """Whether it can be asked for: it need not be in memory."""
        return not self._closed

    async def aclose(self) -> None:
        """Close the pool, which closes all that are in it."""
        self._closed = True
        await self._pool.aclose()
