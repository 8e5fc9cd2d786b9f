"""Wall-clock milliseconds of named spans."""

import contextlib
import time
from collections.abc import Iterator


class Stopwatch:
    """Starts with its making; a span that runs twice counts its last time."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.spans_ms: dict[str, float] = {}

    @contextlib.contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Time what is inside, also when it fails."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.spans_ms[name] = round((time.perf_counter() - started) * 1e3, 2)

    @property
    def total_ms(self) -> float:
        """Since the start."""
        return round((time.perf_counter() - self._started) * 1e3, 2)
