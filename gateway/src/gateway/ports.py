"""What the API needs of a store and of a queue; `gateway.jobs` has them on Redis."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.analysis_filter import AnalysisFilter
from gateway.findings import Findings, Page
from gateway.order import Order
from gateway.review_schemas import Review
from gateway.schemas import Analysis, Priority, WebhookDelivery
from gateway.volume_findings import VolumeFindings


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """A caller's Idempotency-Key (already scoped to the caller) and the fingerprint of what was sent with it."""

    key: str
    fingerprint: str


class AnalysisStore(Protocol):
    """Keeps analyses until they expire or are erased. Every call raises `NotReady` when the store cannot be reached."""

    async def save(self, findings: Findings, claim: IdempotencyClaim | None = None) -> bytes:
        """Keep all of it, or nothing; returns the analysis as the JSON document that is stored."""

    async def document(self, analysis_id: str) -> bytes:
        """The analysis as JSON. Raises `NotFound`."""

    async def findings(self, analysis_id: str) -> Findings | VolumeFindings:
        """The analysis with its arrays. Raises `NotFound`."""

    async def page(self, limit: int, cursor: str | None, asked: AnalysisFilter | None = None) -> Page:
        """A page, newest first. With a filter it may hold fewer than `limit`, even none, and have a cursor all the
        same: one call looks at a bounded number. Raises `InvalidRequest` for a cursor that this store did not make.
        """

    async def delete(self, analysis_id: str) -> None:
        """Erase all that is kept of it. Raises `NotFound`."""

    async def artifact(self, analysis_id: str, name: str) -> bytes | None:
        """A rendered artifact, None when it was not rendered yet. Raises `NotFound`."""

    async def keep_artifact(self, analysis_id: str, name: str, content: bytes) -> None:
        """Cache a rendered artifact with its analysis; does nothing when the analysis is gone."""

    async def claim(self, claim: IdempotencyClaim) -> bytes | None:
        """Take the key; the stored document when this very request was answered before.

        Raises:
            Conflict: the first request with this key is still being answered.
            InvalidRequest: the key was used with another body.
        """

    async def release(self, claim: IdempotencyClaim) -> None:
        """Give the key back after a request that got no answer."""

    async def ready(self) -> bool:
        """Whether the store answers."""


class QueueDepth(NamedTuple):
    """How many jobs wait (also for their next try) and run, webhooks that are to be called, and those given up."""

    waiting: int
    running: int
    webhooks_due: int
    webhooks_dead: int


class JobQueue(Protocol):
    """Analyses that are answered later. Every call raises `NotReady` when the queue cannot be reached."""

    async def check_room(self, priority: Priority) -> None:
        """Raises `QueueFull` before an upload is read for nothing; `accept` decides."""

    async def accept(
        self, analysis: Analysis, order: Order, claim: IdempotencyClaim | None = None, webhook: str | None = None
    ) -> bytes:
        """Keep the job, durable when this returns; the analysis as the JSON document that is stored.

        Raises:
            QueueFull: as many wait as may wait.
        """

    async def cancel(self, analysis_id: str) -> bytes:
        """End a job that is not finished; a worker that runs it learns of it within a second.

        Raises:
            NotFound: no such analysis.
            AlreadyFinished: it was finished before.
        """

    async def depth(self) -> QueueDepth:
        """How long the queue is."""

    async def states(self, analysis_ids: list[str]) -> list[str | None]:
        """The state of each job; None for what is gone, or was no job."""


class Reviews(Protocol):
    """What readers say of analyses."""

    async def add(self, analysis_id: str, review: Review) -> bytes:
        """Append it; the analysis as the JSON document that is stored. It is kept no longer for that.

        Raises:
            NotFound: no such analysis.
            AnalysisNotFinished: it waits or runs.
            NotReviewable: see `gateway.reviews.with_review`.
            NotReady: the store cannot be reached.
        """


class JobEvent(NamedTuple):
    """What a caller who follows a job is told: `text` is JSON."""

    id: str
    text: str


class JobEvents(Protocol):
    """Follows a job."""

    def follow(self, analysis_id: str, after: str | None = None) -> AsyncIterator[JobEvent | None]:
        """All events after the one of the id `after`, until the job is finished or erased; None now and then.

        Raises:
            NotFound: no such analysis.
            InvalidRequest: `after` is no event's id.
        """


class Webhooks(Protocol):
    """What became of an analysis' webhook."""

    def check(self, url: str) -> None:
        """Raises `InvalidWebhook` for a URL that this site does not call."""

    async def delivery(self, analysis_id: str) -> WebhookDelivery:
        """Raises `NotFound`: no such analysis, or it has no webhook."""

    async def redeliver(self, analysis_id: str) -> WebhookDelivery:
        """Call it again, with tries of its own. Raises `NotFound`, and `Conflict` before the analysis is finished."""
