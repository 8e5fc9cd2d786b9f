"""Which URLs a webhook may have, and at which address each is called: no way to anything but the hosts allowed.

The name is checked when the analysis is sent, its addresses at each call; the connection is then made to an address
that was checked, whatever the name means a moment later.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeAlias

import httpx

from gateway.errors import InvalidWebhook
from gateway.job_settings import WebhookSettings

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[list[Address]]]
_HIGHEST_PORT: Final = 65_535
_PORTS: Final = {"https": 443, "http": 80}


class Pinned(NamedTuple):
    """A URL whose host is an address that was checked; the header `Host` and the name for TLS are the original's."""

    url: httpx.URL
    host_header: str
    tls_name: str


class ForbiddenAddress(Exception):
    """The name leads to an address that must not be called, or to none."""


async def resolve(host: str, port: int) -> list[Address]:
    """The host's addresses. Raises `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


class WebhookTargets:
    """The allow-list at work."""

    def __init__(self, settings: WebhookSettings, resolver: Resolve = resolve) -> None:
        self._settings = settings
        self._resolve = resolver

    def check(self, url: str) -> httpx.URL:
        """The parsed URL. Raises `InvalidWebhook`, which does not repeat it."""
        settings = self._settings
        if not settings.enabled:
            raise InvalidWebhook(
                "webhook: this site calls nobody; read the analysis at Location, or follow its events."
            )
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise InvalidWebhook("webhook: not a URL.") from error
        if parsed.scheme not in ({"https", "http"} if settings.allow_http else {"https"}):
            raise InvalidWebhook(f"webhook: the URL must begin with https://{' or http://' * settings.allow_http}.")
        if parsed.port is not None and not 0 < parsed.port <= _HIGHEST_PORT:
            raise InvalidWebhook("webhook: not a URL.")
        if parsed.userinfo or parsed.fragment:
            raise InvalidWebhook("webhook: the URL must hold no user name, password or fragment.")
        if not self._allowed_name(parsed.host):
            raise InvalidWebhook("webhook: this site does not call this host; ask its operator to allow it.")
        literal = _literal(parsed.host)
        if literal is not None and not self._allowed_address(literal):
            raise InvalidWebhook("webhook: this site does not call private addresses.")
        return parsed

    async def pin(self, url: str) -> Pinned:
        """Where to connect to for `url`.

        Raises:
            InvalidWebhook: the allow-list has changed since the URL was accepted.
            ForbiddenAddress: one of the host's addresses is private, or it has none.
        """
        parsed = self.check(url)
        try:
            addresses = await self._resolve(parsed.host, parsed.port or _PORTS[parsed.scheme])
        except OSError as error:
            raise ForbiddenAddress("the host has no address") from error
        if not addresses or not all(self._allowed_address(address) for address in addresses):
            raise ForbiddenAddress("the host has an address that must not be called")
        return Pinned(parsed.copy_with(host=str(addresses[0])), parsed.netloc.decode("ascii"), parsed.host)

    def _allowed_name(self, host: str) -> bool:
        return any(
            host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
            for allowed in self._settings.hosts
        )

    def _allowed_address(self, address: Address) -> bool:
        mapped = getattr(address, "ipv4_mapped", None)
        plain: Address = address if mapped is None else mapped
        if plain.is_multicast or plain.is_unspecified:
            return False
        return plain.is_global or any(plain in network for network in self._settings.networks)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
