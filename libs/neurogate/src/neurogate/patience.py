"""When to ask a gateway again, and when to give it up."""

import random
import time
from typing import Final

import httpx

_FIRST_S: Final = 0.5
_LONGEST_S: Final = 60.0
_BUSY: Final = frozenset({409, 429})
_AWAY: Final = frozenset({502, 503, 504})


class GatewayAway(RuntimeError):
    """The gateway has not been itself for longer than anybody waits."""


class Patience:
    """The pauses between the tries of one request.

    A gateway that says "too many" (429, or 409 for a request that is being answered) is asked for as long as it says
    so; one that is away or not ready (connection refused, 502, 503, 504) for `limit_s`.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._tries = 0
        self._away_since: float | None = None

    def pause_s(self, cause: httpx.Response | httpx.TransportError) -> float | None:
        """Seconds to wait before the next try: at least Retry-After. None for an answer that stays what it is.

        Raises:
            GatewayAway: the limit has passed.
        """
        status = cause.status_code if isinstance(cause, httpx.Response) else None
        if status is not None and status not in _BUSY | _AWAY:
            return None
        if isinstance(cause, httpx.Response) and _final_conflict(cause):
            return None
        if status in _BUSY:
            self._away_since = None
        else:
            self._note_away(cause)
        self._tries += 1
        growing = min(_LONGEST_S, _FIRST_S * 2.0 ** min(self._tries - 1, 10))
        # Jitter, so that those who were sent away together do not come back together.
        return max(_retry_after_s(cause), growing * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    def _note_away(self, cause: httpx.Response | httpx.TransportError) -> None:
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._away_since > self._limit_s:
            words = f"HTTP {cause.status_code}" if isinstance(cause, httpx.Response) else str(cause) or "no connection"
            raise GatewayAway(f"the gateway has been away for {self._limit_s:.0f} s ({words})")


def _retry_after_s(cause: httpx.Response | httpx.TransportError) -> float:
    text = cause.headers.get("retry-after", "") if isinstance(cause, httpx.Response) else ""
    return float(text) if text.isdecimal() else 0.0


def _final_conflict(response: httpx.Response) -> bool:
    """A conflict that says when to come again passes; another one stays."""
    return response.status_code == httpx.codes.CONFLICT and "retry-after" not in response.headers
