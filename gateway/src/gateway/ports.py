"""What the API needs of a store; `gateway.jobs.store` has it on Redis."""

from dataclasses import dataclass
from typing import Protocol

from gateway.findings import Findings, Page


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

    async def findings(self, analysis_id: str) -> Findings:
        """The analysis with its arrays. Raises `NotFound`."""

    async def page(self, limit: int, cursor: str | None) -> Page:
        """A page, newest first. Raises `InvalidRequest` for a cursor that this store did not make."""

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
