"""What every user of Redis here shares: its errors as ours, and answers as bytes."""

import contextlib
from collections.abc import AsyncIterator

from redis.exceptions import RedisError

from gateway.analysis_id import is_analysis_id
from gateway.jobs import keys
from service_kit.errors import NotFound, NotReady


@contextlib.asynccontextmanager
async def reached() -> AsyncIterator[None]:
    """Redis' errors as `NotReady`."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise NotReady("The store cannot be reached.", stage="store", retry_after_s=2) from error


def analysis_key(analysis_id: str) -> str:
    """The key of an analysis whose id a caller gave. Raises `NotFound` for what is no id of ours."""
    if not is_analysis_id(analysis_id):
        raise not_found()
    return keys.analysis(analysis_id)


def found(content: bytes | str | None) -> bytes:
    """The content. Raises `NotFound` for None."""
    if content is None:
        raise not_found()
    return raw(content)


def raw(content: bytes | str) -> bytes:
    """What a client that does not decode answers gives: always bytes, which its types do not say."""
    assert isinstance(content, bytes)  # noqa: S101 - else the composition root made the wrong client
    return content


def not_found() -> NotFound:
    """No such analysis."""
    return NotFound("There is no analysis with this id: it was deleted, it expired, or it never was.")
