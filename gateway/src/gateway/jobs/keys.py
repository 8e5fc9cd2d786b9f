"""The names of things in Redis. All begin with `neurogate:`, so that the server may be shared."""

import base64
import binascii
import hashlib

from gateway.analysis_id import is_analysis_id
from gateway.errors import InvalidCursor

INDEX = "neurogate:analyses"
"""Sorted set of ids, all of one score: version 7 ids sort by time as text."""


def analysis(analysis_id: str) -> str:
    """Hash: `document` (JSON), `arrays` (named arrays), `artifact:<name>`, and `claim` where a key was given."""
    return f"neurogate:analysis:{analysis_id}"


def claim(idempotency_key: str) -> str:
    """Text: `running <fingerprint>` or `<analysis id> <fingerprint>`. The caller's key is hashed: it may be long."""
    return f"neurogate:claim:{hashlib.sha256(idempotency_key.encode()).hexdigest()}"


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
