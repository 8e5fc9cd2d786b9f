"""Until when an answer is wanted. A deadline is passed on with every call, so that nobody works for nobody."""

import contextlib
import time
from collections.abc import Iterator

from service_kit.context import current
from service_kit.errors import DeadlineExceeded

DEADLINE_HEADER = "X-Deadline-Ms"
REQUEST_ID_HEADER = "X-Request-ID"


def remaining_s() -> float | None:
    """Seconds until the deadline, negative when it has passed; None without a deadline."""
    deadline_at = current.get().deadline_at
    return None if deadline_at is None else deadline_at - time.monotonic()


def check_deadline() -> None:
    """Stop here when nobody waits for the answer any more.

    Raises:
        DeadlineExceeded: the deadline has passed.
    """
    deadline_at = current.get().deadline_at
    if deadline_at is not None and time.monotonic() >= deadline_at:
        raise DeadlineExceeded("the deadline passed before the work began; allow more time or send less")


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Inside, the deadline is `seconds` from now, or the one that was set before where that is earlier."""
    context = current.get()
    deadline_at = time.monotonic() + seconds
    if context.deadline_at is not None:
        deadline_at = min(deadline_at, context.deadline_at)
    token = current.set(context._replace(deadline_at=deadline_at))
    try:
        yield
    finally:
        current.reset(token)


@contextlib.contextmanager
def deadline_at(moment: float | None) -> Iterator[None]:
    """Inside, the deadline is `moment` on the clock of `time.monotonic`, whatever was set before."""
    token = current.set(current.get()._replace(deadline_at=moment))
    try:
        yield
    finally:
        current.reset(token)


def outgoing_headers() -> dict[str, str]:
    """Headers for a call to another service: request id, W3C trace context, and the milliseconds that are left."""
    context = current.get()
    headers: dict[str, str] = {}
    if context.request_id is not None:
        headers[REQUEST_ID_HEADER] = context.request_id
    if context.traceparent is not None:
        headers["traceparent"] = context.traceparent
        if context.tracestate is not None:
            headers["tracestate"] = context.tracestate
    if context.deadline_at is not None:
        headers[DEADLINE_HEADER] = str(max(0, int((context.deadline_at - time.monotonic()) * 1000)))
    return headers
