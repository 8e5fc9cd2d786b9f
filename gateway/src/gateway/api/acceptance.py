"""An analysis that is answered later: its files go to the blob store, its order into the queue, the caller gets 202."""

from fastapi import Request, Response
from starlette.datastructures import Headers

from gateway.analysis import queued_analysis
from gateway.api.answers import accepted, replay
from gateway.api.idempotency import Held, claim_of, holding
from gateway.api.intake import Intake
from gateway.errors import QueueFull
from gateway.order import Order
from gateway.pipeline import Pipeline
from gateway.ports import AnalysisStore, IdempotencyClaim, JobQueue, Webhooks
from gateway.schemas import Analysis


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
        # A stat job may still find room where a routine one finds none; which it is, the body says.
        await self._queue.check_room("stat")
        analysis = queued_analysis()
        order, fingerprint = await self._intake.spool(request, analysis.id)
        held = Held()
        try:
            claim = claim_of(request, fingerprint)
            async with holding(self._store, claim) as held:
                if held.known is not None:
                    return replay(held.known, asynchronous=True)
                return accepted(analysis.id, await self._accept(analysis, order, claim, held))
        finally:
            if not held.stored:
                await self._intake.discard(analysis.id)

    async def _accept(self, analysis: Analysis, order: Order, claim: IdempotencyClaim | None, held: Held) -> bytes:
        webhook = order.options.webhook
        if webhook is not None:
            self._webhooks.check(webhook)
        await self._pipeline.check(order.record, order.options)
        # When the queue gives no answer, it may have the job all the same: uploads and key stay as they are.
        held.stored = True
        try:
            return await self._queue.accept(analysis, order, claim, webhook)
        except QueueFull:
            held.stored = False
            raise


def prefers_async(headers: Headers) -> bool:
    """Whether `Prefer` (RFC 7240) asks for an answer later."""
    preferences = [item for line in headers.getlist("prefer") for item in line.split(",")]
    return any(item.partition(";")[0].strip().lower() == "respond-async" for item in preferences)
