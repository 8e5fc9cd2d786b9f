"""Who asked, on whose behalf, and until when: one context variable a request, set at the edge."""

from contextvars import ContextVar
from typing import NamedTuple


class RequestContext(NamedTuple):
    """What travels with a request through every call that it makes.

    `deadline_at` is on the clock of `time.monotonic`, in seconds; None means that nobody is waiting.
    """

    request_id: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    deadline_at: float | None = None


_EMPTY = RequestContext()

current: ContextVar[RequestContext] = ContextVar("service_kit_request", default=_EMPTY)


def request_id() -> str | None:
    """The id of the request that is being answered, or None outside of one."""
    return current.get().request_id
