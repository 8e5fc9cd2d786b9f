"""How far an analysis is, told while it runs; and the place where a canceled one stops."""

from typing import Protocol

from gateway.schemas import ProgressStage


class Canceled(Exception):
    """Nobody wants this result any more: it was canceled or erased, or the job went to another worker."""


class ProgressReporter(Protocol):
    """What long work calls between its stages, and between its tiles. `gateway.jobs` writes it down."""

    async def step(self, stage: ProgressStage, done: int, total: int) -> None:
        """`done` of `total` steps of `stage` are done; cheap enough for every tile.

        Raises:
            Canceled: stop here.
        """


class _Silent:
    async def step(self, stage: ProgressStage, done: int, total: int) -> None:
        """Nobody watches."""


SILENT: ProgressReporter = _Silent()
"""For an analysis that is answered at once."""
