"""The embedded Redis is a real one: it keeps what it was given, and leaves nothing running."""

import os
from pathlib import Path

import pytest
from redis.asyncio import Redis

from neurogate.embedded_redis import RedisNotStarted, embedded_redis


async def test_keeps_what_it_was_given_across_restarts(tmp_path: Path) -> None:
    async with embedded_redis(tmp_path) as url, Redis.from_url(url) as client:
        await client.set("key", "value")
        server = int((await client.info("server"))["process_id"])
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
    async with embedded_redis(tmp_path) as url, Redis.from_url(url) as client:
        assert await client.get("key") == b"value"


async def test_is_not_reachable_over_the_network(tmp_path: Path) -> None:
    async with embedded_redis(tmp_path) as url, Redis.from_url(url) as client:
        assert url.startswith("unix://")
        assert (await client.config_get("port"))["port"] == "0"


async def test_a_ruined_file_is_reported_not_swallowed(tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    (folder / "appendonly.aof").write_bytes(b"*1\r\n$4\r\nOOPS no redis file at all\r\n")
    with pytest.raises(RedisNotStarted, match="ended at its start"):
        async with embedded_redis(tmp_path):
            pass
