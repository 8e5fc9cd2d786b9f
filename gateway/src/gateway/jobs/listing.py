"""Pages of the list of analyses, newest first."""

from typing import Final

from redis.asyncio import Redis

from gateway.analysis_filter import MAX_SCANNED, AnalysisFilter
from gateway.findings import Page
from gateway.jobs import keys
from gateway.jobs.connection import raw, reached

_BATCH: Final = 100


class RedisListing:
    """Reads the ordered set of ids. Those whose hash was evicted are skipped and taken off the list."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def page(self, limit: int, cursor: str | None) -> Page:
        """The next `limit`. Raises `InvalidCursor`."""
        before = _before(cursor)
        documents: list[bytes] = []
        async with reached():
            while len(documents) < limit:
                wanted = limit - len(documents)
                ids = await self._ids(before, wanted + 1)
                if not ids:
                    return Page(tuple(documents), None)
                shown = ids[:wanted]
                documents += [document for _, document in await self._documents(shown)]
                before = f"({shown[-1]}"
                if len(ids) <= wanted:
                    return Page(tuple(documents), None)
        return Page(tuple(documents), keys.cursor_after(shown[-1]))

    async def matching(self, limit: int, cursor: str | None, asked: AnalysisFilter) -> Page:
        """The next that match: `limit` of them, or fewer where `MAX_SCANNED` were looked at; then the cursor goes on
        behind those. Raises `InvalidCursor`.
        """
        before = _before(cursor)
        documents: list[bytes] = []
        scanned = 0
        async with reached():
            while True:
                ids = await self._ids(before, _BATCH)
                ended = len(ids) < _BATCH
                for analysis_id, document in await self._documents(ids):
                    if asked.matches(document):
                        documents.append(document)
                    if len(documents) == limit:
                        last = ended and analysis_id == ids[-1]
                        return Page(tuple(documents), None if last else keys.cursor_after(analysis_id))
                scanned += len(ids)
                if ended or scanned >= MAX_SCANNED:
                    return Page(tuple(documents), None if ended else keys.cursor_after(ids[-1]))
                before = f"({ids[-1]}"

    async def _ids(self, before: str, count: int) -> list[str]:
        found = await self._redis.zrevrangebylex(keys.INDEX, before, "-", 0, count)
        return [raw(analysis_id).decode() for analysis_id in found]

    async def _documents(self, ids: list[str]) -> list[tuple[str, bytes]]:
        """Those that are there, with their ids."""
        if not ids:
            return []
        async with self._redis.pipeline(transaction=False) as batch:
            for analysis_id in ids:
                batch.hget(keys.analysis(analysis_id), "document")
            documents: list[bytes | None] = await batch.execute()
        pairs = list(zip(ids, documents, strict=True))
        gone = [analysis_id for analysis_id, document in pairs if document is None]
        if gone:
            await self._redis.zrem(keys.INDEX, *gone)
        return [(analysis_id, document) for analysis_id, document in pairs if document is not None]


def _before(cursor: str | None) -> str:
    return "+" if cursor is None else f"({keys.id_before(cursor)}"
