"""Idempotency-Key: one request, one answer, however often it is sent (draft-ietf-httpapi-idempotency-key-header)."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fastapi import Request

from gateway.ports import AnalysisStore, IdempotencyClaim
from service_kit.errors import InvalidRequest, NotReady

_MAX_KEY_LENGTH = 255


@dataclass(slots=True)
class Held:
    """A key in a request's hands: the document that is `known` under it, and whether one may be `stored` by now."""

    known: bytes | None = None
    stored: bool = False


def claim_of(request: Request, fingerprint: str) -> IdempotencyClaim | None:
    """The request's key with what was sent; None without one. Raises `InvalidRequest` for a key of a wrong length."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= _MAX_KEY_LENGTH:
        raise InvalidRequest(f"Idempotency-Key: 1 to {_MAX_KEY_LENGTH} characters are needed.")
    # Two callers who think of the same key do not meet.
    return IdempotencyClaim(f"{request.state.principal.name} {key}", fingerprint)


@contextlib.asynccontextmanager
async def holding(store: AnalysisStore, claim: IdempotencyClaim | None) -> AsyncIterator[Held]:
    """Inside, the key is ours or its answer is known; it is free again after an error, unless an answer is stored.

    Raises:
        RequestInProgress, IdempotencyKeyReused: see `AnalysisStore.claim`.
    """
    if claim is None:
        yield Held()
        return
    held = Held(await store.claim(claim))
    try:
        yield held
    except BaseException:
        if held.known is None and not held.stored:
            with contextlib.suppress(NotReady):  # the store is down: the claim ends by itself
                await store.release(claim)
        raise
