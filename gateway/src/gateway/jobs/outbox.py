"""Webhooks to call, in Redis: put there in the transaction that finishes the job, so that none is lost."""

from dataclasses import dataclass
from typing import Final, Protocol

from redis.asyncio import Redis

from gateway.jobs import scripts
from gateway.jobs.connection import analysis_key, found, raw, reached
from gateway.jobs.targets import WebhookTargets
from gateway.schemas import WebhookDelivery
from service_kit.errors import Conflict, NotFound

_FIELDS: Final = ["document", "webhook_url", "webhook_state", "webhook_tries", "webhook_status"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call that is to be made: `finished_ms` is when the job was finished, on Redis' clock."""

    analysis_id: str
    tries: int
    url: str
    state: str
    finished_ms: int


class Outbox(Protocol):
    """Calls to make. Both raise `NotReady` when the outbox cannot be reached."""

    async def take(self) -> Call | None:
        """The next call; it comes again when it is not settled in time."""

    async def settle(self, call: Call, state: str, *, status: int | None, delay_s: float = 0.0) -> None:
        """It is `delivered`, `dead`, or `pending` for another try after `delay_s`."""


def webhook_id(analysis_id: str) -> str:
    """The same at every try, so that a receiver can tell that it has seen it. A job is finished once."""
    return f"msg_{analysis_id}"


class RedisOutbox:
    """Implements `Outbox`, and `gateway.ports.Webhooks`. `lease_s` is longer than any call takes."""

    def __init__(self, redis: Redis, targets: WebhookTargets, *, lease_s: float) -> None:
        self._redis = redis
        self._targets = targets
        self._lease_ms = round(lease_s * 1000)
        self._take = redis.register_script(scripts.TAKE_WEBHOOK)
        self._settle = redis.register_script(scripts.SETTLE_WEBHOOK)
        self._redeliver = redis.register_script(scripts.REDELIVER_WEBHOOK)

    def check(self, url: str) -> None:
        """See the port."""
        self._targets.check(url)

    async def take(self) -> Call | None:
        """See the port."""
        async with reached():
            taken = await self._take(args=[self._lease_ms])
        if taken is None:
            return None
        analysis_id, tries, url, state, finished_ms = taken
        return Call(raw(analysis_id).decode(), tries, raw(url).decode(), raw(state).decode(), int(finished_ms))

    async def settle(self, call: Call, state: str, *, status: int | None, delay_s: float = 0.0) -> None:
        """See the port."""
        arguments: list[str | int] = [call.analysis_id, call.tries, state, status or "", round(delay_s * 1000)]
        async with reached():
            await self._settle(args=arguments)

    async def delivery(self, analysis_id: str) -> WebhookDelivery:
        """See the port."""
        async with reached():
            document, url, state, tries, status = await self._redis.hmget(analysis_key(analysis_id), _FIELDS)
        found(document)
        if url is None:
            raise NotFound("The analysis was sent without a webhook.")
        return WebhookDelivery.model_validate(
            {
                "analysis_id": analysis_id,
                "webhook_id": webhook_id(analysis_id),
                "state": "waiting" if state is None else raw(state).decode(),
                "tries": int(tries or 0),
                "last_status": int(status) if status else None,
            }
        )

    async def redeliver(self, analysis_id: str) -> WebhookDelivery:
        """See the port."""
        delivery = await self.delivery(analysis_id)
        async with reached():
            known = await self._redeliver(args=[analysis_id])
        if not known:
            raise Conflict(f"The analysis is not finished: its webhook is {delivery.state}.")
        return await self.delivery(analysis_id)
