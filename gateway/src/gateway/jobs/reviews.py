"""Reviews in Redis: written into the analysis' document, unless somebody else wrote into it meanwhile."""

from redis.asyncio import Redis

from gateway.jobs import scripts
from gateway.jobs.connection import analysis_key, found, reached
from gateway.review_schemas import Review
from gateway.reviews import SHOWN_IN, with_review


class RedisReviews:
    """Implements `gateway.ports.Reviews`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._review = redis.register_script(scripts.REVIEW)

    async def add(self, analysis_id: str, review: Review) -> bytes:
        """See the port. Who comes second reads again: of two at the same time both stay."""
        key = analysis_key(analysis_id)
        async with reached():
            while True:
                before = found(await self._redis.hget(key, "document"))
                after, count = with_review(before, review)
                if await self._review(args=[analysis_id, before, after, count, *sorted(SHOWN_IN)]):
                    return after
