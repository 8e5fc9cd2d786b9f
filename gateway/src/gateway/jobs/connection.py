"""What every user of Redis here shares: its errors as ours, and answers as bytes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from redis.exceptions import RedisError

from gateway.analysis_id import is_analysis_id
from gateway.jobs import keys
from service_kit.errors import NotFound, NotReady


@contextlib.asynccontextmanager
async def reached() -> AsyncIterator[None]:
    """Redis' errors as `NotReady`; but a task that is canceled meanwhile ends.

    While it connects, the client can lose a cancellation, or make an error of it; a loop that goes on then never ends.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError from error
        raise NotReady("The store cannot be reached.", stage="store", retry_after_s=2) from error
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


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
