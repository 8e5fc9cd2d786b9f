"""Who may call: API keys, compared in constant time."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import Request
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.security.base import SecurityBase
from pydantic import SecretStr

from service_kit.errors import Unauthorized


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. `name` tells keys apart and cannot be turned back into one; "anonymous" without keys."""

    name: str


ANONYMOUS = Principal("anonymous")


class KeyGuard:
    """Lets a request pass whose `Authorization: Bearer` or `X-API-Key` header holds one of the keys."""

    def __init__(self, keys: Iterable[SecretStr]) -> None:
        # Digests are of one length, so that comparing tells nothing about a key's.
        self._principals = {
            digest: Principal(digest.hex()[:12]) for key in keys if (digest := _digest(key.get_secret_value()))
        }

    def identify(self, authorization: str | None, api_key: str | None) -> Principal:
        """The caller of these two headers.

        Raises:
            Unauthorized: keys are set, and none of them is there.
        """
        if not self._principals:
            return ANONYMOUS
        scheme, _, token = (authorization or "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else api_key
        if not given:
            raise Unauthorized("Send an API key: `Authorization: Bearer KEY`, or `X-API-Key: KEY`.")
        digest = _digest(given)
        found = None
        for known, principal in self._principals.items():
            if hmac.compare_digest(known, digest):
                found = principal
        if found is None:
            raise Unauthorized("The API key is not known.")
        return found

    async def __call__(self, request: Request) -> None:
        """FastAPI dependency: puts the caller into `request.state.principal`."""
        headers = request.headers
        request.state.principal = self.identify(headers.get("authorization"), headers.get("x-api-key"))


class _Documented(SecurityBase):
    """Says in OpenAPI how to send a key; checks nothing."""

    def __init__(self, name: str, model: APIKey | HTTPBearer) -> None:
        self.scheme_name = name
        self.model = model

    async def __call__(self) -> None:
        return None


BEARER = _Documented("bearer", HTTPBearer(description="An API key."))
API_KEY = _Documented("api_key", APIKey(**{"in": APIKeyIn.header}, name="X-API-Key", description="An API key."))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
