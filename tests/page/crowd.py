"""A work list as it is after a busy day: one analysis many times over, put into the stack's own Redis."""

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import redis

from gateway.analysis_id import earliest_id
from gateway.jobs import keys
from tests.page.stack import Json, Stack

_APART_MS = 20_000


def _id_at(unix_ms: int) -> str:
    """A version 7 id of that moment."""
    return f"{earliest_id(unix_ms)[:14]}7{secrets.token_hex(2)[:3]}-8{secrets.token_hex(2)[:3]}-{secrets.token_hex(6)}"


@contextlib.contextmanager
def crowded(stack: Stack, analysis: Json, count: int) -> Iterator[None]:
    """`count` copies of `analysis`, one every 20 s before now, gone when the context is left."""
    now_ms = time.time_ns() // 1_000_000
    made = {_id_at(at_ms): at_ms for at_ms in range(now_ms - count * _APART_MS, now_ms, _APART_MS)}
    with redis.Redis(unix_socket_path=str(stack.redis_socket())) as database:
        batch = database.pipeline(transaction=False)
        for analysis_id, at_ms in made.items():
            created = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
            links = {name: link.replace(analysis["id"], analysis_id) for name, link in analysis["links"].items()}
            document = {**analysis, "id": analysis_id, "created_at": created.replace("+00:00", "Z"), "links": links}
            batch.copy(keys.analysis(analysis["id"]), keys.analysis(analysis_id))
            batch.hset(keys.analysis(analysis_id), "document", json.dumps(document))
            batch.zadd(keys.INDEX, {analysis_id: 0})
        batch.execute()
        try:
            yield
        finally:
            database.delete(*(keys.analysis(analysis_id) for analysis_id in made))
            database.zrem(keys.INDEX, *made)
