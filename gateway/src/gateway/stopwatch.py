"""Wall-clock milliseconds of named spans."""

import contextlib
import time
from collections.abc import Iterator


class Stopwatch:
    """Starts with its making; a span that runs twice counts both times."""

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
            took_ms = (time.perf_counter() - started) * 1e3
            self.spans_ms[name] = round(self.spans_ms.get(name, 0.0) + took_ms, 2)

    @property
    def total_ms(self) -> float:
        """Since the start."""
        return round((time.perf_counter() - self._started) * 1e3, 2)
