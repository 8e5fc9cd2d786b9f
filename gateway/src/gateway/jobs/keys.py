"""The names of things in Redis. All begin with `neurogate:`, so that the server may be shared."""

import base64
import binascii
import hashlib
import time

from gateway.analysis_id import earliest_id, is_analysis_id
from gateway.errors import InvalidCursor

INDEX = "neurogate:analyses"
"""Sorted set of ids, all of one score: version 7 ids sort by time as text."""

WAITING = "neurogate:jobs:waiting"
"""Sorted set of ids by rank: the order of arrival, `stat` before all others."""
DELAYED = "neurogate:jobs:delayed"
"""Sorted set of ids by the Unix millisecond at which they wait again, after a try that failed."""
RUNNING = "neurogate:jobs:running"
"""Sorted set of ids by the Unix millisecond at which their lease ends."""
SEQUENCE = "neurogate:jobs:sequence"
"""Number of the job that was accepted last."""
DUE = "neurogate:webhooks:due"
"""Sorted set of ids by the Unix millisecond of their next call."""
DEAD = "neurogate:webhooks:dead"
"""Sorted set of ids by the Unix millisecond at which no more calls were made."""
SWEEPING = "neurogate:blobs:sweeping"
"""Text that is there while somebody looks for uploads that nobody needs."""
IN_BLOBS = b"blob"
"""In place of an analysis' arrays: they are in the blob store."""
JOB_LISTS = (WAITING, DELAYED, RUNNING, DUE, DEAD)


def analysis(analysis_id: str) -> str:
    """Hash: `document` (JSON), `arrays` (named, or `IN_BLOBS`), `artifact:<name>`, `claim` where a key was given, and
    `reviews` (how many) once there is one.

    Of a job too: `state`, `order` (JSON, until it is finished), `rank`, `tries`, `fence` (the lease's number), and
    with a webhook `webhook_url`, `webhook_state` (pending, delivered, dead), `webhook_tries`, `webhook_status` and
    `webhook_at`.
    """
    return f"neurogate:analysis:{analysis_id}"


def events(analysis_id: str) -> str:
    """Stream of a job's events; the field `event` is JSON."""
    return f"neurogate:events:{analysis_id}"


def claim(idempotency_key: str) -> str:
    """Text: `running <fingerprint>` or `<analysis id> <fingerprint>`. The caller's key is hashed: it may be long."""
    return f"neurogate:claim:{hashlib.sha256(idempotency_key.encode()).hexdigest()}"


def earliest_kept(ttl_s: int) -> str:
    """Ids before this one are of analyses that have expired: a job may wait as long as its result is kept after it."""
    return earliest_id((time.time_ns() - 2 * ttl_s * 1_000_000_000) // 1_000_000)


def cursor_after(analysis_id: str) -> str:
    """The opaque cursor of the page that follows this id."""
    return base64.urlsafe_b64encode(analysis_id.encode()).decode().rstrip("=")


def id_before(cursor: str) -> str:
    """The id that a cursor stands for.

    Raises:
        InvalidCursor: it was not made here.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor("The cursor is not one that a list call gave: start without a cursor.") from error
    if not is_analysis_id(text):
        raise InvalidCursor("The cursor is not one that a list call gave: start without a cursor.")
    return text
