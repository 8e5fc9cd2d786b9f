"""An analysis that is answered later: its files go to the blob store, its order into the queue, the caller gets 202."""

from fastapi import Request, Response
from starlette.datastructures import Headers

from gateway.analysis import queued_analysis
from gateway.api.answers import accepted, replay
from gateway.api.idempotency import Held, claim_of, holding
from gateway.api.intake import Intake, Spooled
from gateway.errors import QueueFull
from gateway.pipeline import Pipeline
from gateway.ports import AnalysisStore, IdempotencyClaim, JobQueue, Webhooks


class Acceptance:
    """Refuses what can be refused before the pixels are decoded."""

    def __init__(
        self, intake: Intake, pipeline: Pipeline, store: AnalysisStore, queue: JobQueue, webhooks: Webhooks
    ) -> None:
        self._intake = intake
        self._pipeline = pipeline
        self._store = store
        self._queue = queue
        self._webhooks = webhooks

    async def enqueue(self, request: Request) -> Response:
        """202, or the first answer to the request's Idempotency-Key.

        Raises:
            QueueFull: too many wait.
            ServiceError: what `Intake.spool`, `Pipeline.check` and `Webhooks.check` refuse.
        """
        await self.check_room()
        analysis = queued_analysis()
        order, fingerprint = await self._intake.spool(request, analysis.id)
        return await self.accept(request, Spooled(analysis, order, fingerprint))

    async def check_room(self) -> None:
        """Raises `QueueFull`. A stat job may still find room where a routine one finds none: the body says which."""
        await self._queue.check_room("stat")

    async def accept(self, request: Request, spooled: Spooled) -> Response:
        """As `enqueue`, of a form that was read already. Erases its uploads where it becomes no job."""
        held, preferred = Held(), prefers_async(request.headers)
        try:
            claim = claim_of(request, spooled.fingerprint)
            async with holding(self._store, claim) as held:
                if held.known is not None:
                    return replay(held.known, asynchronous=True, preferred=preferred)
                return accepted(spooled.analysis.id, await self._accept(spooled, claim, held), preferred=preferred)
        finally:
            if not held.stored:
                await self._intake.discard(spooled.analysis.id)

    async def accept_held(self, spooled: Spooled, claim: IdempotencyClaim | None, held: Held) -> Response:
        """As `accept`, for who holds the key already."""
        try:
            return accepted(spooled.analysis.id, await self._accept(spooled, claim, held), preferred=False)
        finally:
            if not held.stored:
                await self._intake.discard(spooled.analysis.id)

    async def _accept(self, spooled: Spooled, claim: IdempotencyClaim | None, held: Held) -> bytes:
        order = spooled.order
        webhook = order.options.webhook
        if webhook is not None:
            self._webhooks.check(webhook)
        # Whether it is a volume is known when it is decoded: then it is checked again.
        await self._pipeline.check(order.record, order.options, volume=True, told=order.told)
        # When the queue gives no answer, it may have the job all the same: uploads and key stay as they are.
        held.stored = True
        try:
            return await self._queue.accept(spooled.analysis, order, claim, webhook)
        except QueueFull:
            held.stored = False
            raise


def prefers_async(headers: Headers) -> bool:
    """Whether `Prefer` (RFC 7240) asks for an answer later."""
    preferences = [item for line in headers.getlist("prefer") for item in line.split(",")]
    return any(item.partition(";")[0].strip().lower() == "respond-async" for item in preferences)
