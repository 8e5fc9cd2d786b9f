"""A job in a worker's hands, and what a worker can do with it: the port that `gateway.jobs.leases` has on Redis."""

from dataclasses import dataclass, replace
from typing import Protocol, Self

from gateway.findings import Findings
from gateway.jobs import documents
from gateway.order import Order
from gateway.schemas import Analysis, ProgressStage
from gateway.volume_findings import VolumeFindings
from service_kit.errors import ServiceError


@dataclass(frozen=True, slots=True)
class Lease:
    """One try of a job. `fence` grows with each claim: what comes with an older one changes nothing any more."""

    analysis: Analysis
    order: Order
    fence: int
    tries: int

    @property
    def id(self) -> str:
        """The analysis' id."""
        return self.analysis.id

    def at_step(self, stage: ProgressStage, done: int, total: int) -> Self:
        """The same lease, further on."""
        return replace(self, analysis=documents.at_step(self.analysis, stage, done, total))


class Leases(Protocol):
    """Claims jobs and settles them. Every call but `claim` says whether the lease still holds; nothing changes if not.

    Every call raises `NotReady` when the queue cannot be reached.
    """

    async def claim(self) -> Lease | None:
        """The next job: `stat` first, then in the order of arrival; None when none waits. It counts as a try."""

    async def renew(self, lease: Lease) -> bool:
        """The worker lives."""

    async def report(self, lease: Lease) -> bool:
        """How far it is."""

    async def succeed(self, lease: Lease, findings: Findings | VolumeFindings) -> bool:
        """Keep the result; the job is finished."""

    async def fail(self, lease: Lease, error: ServiceError) -> bool:
        """Keep the reason; the job is finished."""

    async def give_back(self, lease: Lease, *, delay_s: float = 0.0, free: bool = False) -> bool:
        """It waits again, at its old place or after `delay_s`; `free` when this try shall not count."""
