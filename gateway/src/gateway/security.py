"""Who may call: API keys, and the sessions of browsers that gave one, compared in constant time."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.security.base import SecurityBase
from pydantic import SecretStr

from service_kit.errors import Forbidden, Unauthorized

SESSION_COOKIE: Final = "neurogate_session"
_SESSION_CONTEXT: Final = b"neurogate page session, version 1"
_READING: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. `name` tells keys apart and cannot be turned back into one; "anonymous" without keys."""

    name: str


ANONYMOUS = Principal("anonymous")


class KeyGuard:
    """Lets a request pass whose `Authorization: Bearer` or `X-API-Key` header holds one of the keys.

    Browsers send no such header for pictures, event streams and links. They may send a session's cookie instead, in
    which there is no key: it is a MAC under the key's digest, so nothing is stored and it ends with the key.
    """

    def __init__(self, keys: Iterable[SecretStr]) -> None:
        # Digests are of one length, so that comparing tells nothing about a key's.
        self._principals = {
            digest: Principal(digest.hex()[:12]) for key in keys if (digest := _digest(key.get_secret_value()))
        }
        self._sessions = {_session(digest).encode(): principal for digest, principal in self._principals.items()}

    @property
    def required(self) -> bool:
        """Whether callers need a key."""
        return bool(self._principals)

    def identify(self, authorization: str | None, api_key: str | None) -> Principal:
        """The caller of these two headers.

        Raises:
            Unauthorized: keys are set, and none of them is there.
        """
        if not self._principals:
            return ANONYMOUS
        given = _given(authorization, api_key)
        if not given:
            raise Unauthorized("Send an API key: `Authorization: Bearer KEY`, or `X-API-Key: KEY`.")
        found = _find(_digest(given), self._principals)
        if found is None:
            raise Unauthorized("The API key is not known.")
        return found

    def open_session(self, key: str) -> str:
        """What the cookie of a browser holds that gave this key. Raises `Unauthorized` for a wrong one."""
        self.identify(None, key)
        return _session(_digest(key))

    def admit(self, method: str, headers: Mapping[str, str], cookie: str | None) -> Principal:
        """The caller of a request: by its headers where they hold a key, else by its session.

        Raises:
            Unauthorized: keys are set, and neither is there.
            Forbidden: a session alone asks for a change, and nothing shows that our own page sent it.
        """
        authorization, api_key = headers.get("authorization"), headers.get("x-api-key")
        if not self.required or not cookie or _given(authorization, api_key):
            return self.identify(authorization, api_key)
        principal = _find(cookie.encode(), self._sessions)
        if principal is None:
            raise Unauthorized("The session has ended: sign in again, or send an API key.")
        if method not in _READING and not _of_same_origin(headers):
            raise Forbidden(
                "A session changes things from this gateway's own page alone (Sec-Fetch-Site, Origin): send an API "
                "key in a header instead."
            )
        return principal

    async def __call__(self, request: Request) -> None:
        """FastAPI dependency: puts the caller into `request.state.principal`."""
        request.state.principal = self.admit(request.method, request.headers, request.cookies.get(SESSION_COOKIE))


class _Documented(SecurityBase):
    """Says in OpenAPI how to send a key; checks nothing."""

    def __init__(self, name: str, model: APIKey | HTTPBearer) -> None:
        self.scheme_name = name
        self.model = model

    async def __call__(self) -> None:
        return None


BEARER = _Documented("bearer", HTTPBearer(description="An API key."))
API_KEY = _Documented("api_key", APIKey(**{"in": APIKeyIn.header}, name="X-API-Key", description="An API key."))


SESSION = _Documented(
    "session",
    APIKey(**{"in": APIKeyIn.cookie}, name=SESSION_COOKIE, description="What `POST /session` gave a browser."),
)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _session(digest: bytes) -> str:
    return hmac.digest(digest, _SESSION_CONTEXT, hashlib.sha256).hex()


def _given(authorization: str | None, api_key: str | None) -> str | None:
    """The key that the headers hold."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else api_key


def _find(given: bytes, known: Mapping[bytes, Principal]) -> Principal | None:
    """The principal of what was given; all are compared, whichever it is."""
    found = None
    for secret, principal in known.items():
        if hmac.compare_digest(secret, given):
            found = principal
    return found


def _of_same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that a page of this very host sent the request; no script can set these headers."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    # Not sent to plain http on another machine. The scheme is left aside: a proxy may have ended TLS.
    origin, host = headers.get("origin"), headers.get("host")
    return origin is not None and bool(host) and origin.partition("://")[2] == host
