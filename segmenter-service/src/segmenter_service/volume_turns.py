"""Who segments a volume now, and who waits: volumes take minutes and much memory, so few may be at it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from service_kit.errors import Overloaded

_RETRY_AFTER_S = 30


class VolumeTurns:
    """At most `at_once` volumes are in work and `waiting` more wait, in the order in which they came."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._places = at_once + waiting
        self._taken = 0
        self._turn = asyncio.Semaphore(at_once)

    def enter(self) -> Callable[[], None]:
        """Take a place, before anything large is read; what is returned gives it back, once.

        Raises:
            Overloaded: all places are taken.
        """
        if self._taken >= self._places:
            raise Overloaded(
                f"{self._taken} volumes are in work or wait, more are not taken; come again",
                stage="segmentation",
                retry_after_s=_RETRY_AFTER_S,
            )
        self._taken += 1
        left = contextlib.ExitStack()
        left.callback(self._leave)
        return left.close

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn; it lasts as long as the context."""
        async with self._turn:
            yield

    def _leave(self) -> None:
        self._taken -= 1
