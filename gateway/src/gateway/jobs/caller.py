"""Calls webhooks, signed as Standard Webhooks (standardwebhooks.com, version 1) says, until they are taken."""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import logging
import random
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import httpx
from pydantic import SecretStr

from gateway.artifacts import analysis_path
from gateway.errors import InvalidWebhook
from gateway.job_settings import WebhookSettings
from gateway.jobs.metrics import JobMetrics
from gateway.jobs.outbox import Call, Outbox, webhook_id
from gateway.jobs.targets import ForbiddenAddress, WebhookTargets
from service_kit.errors import NotReady

_LOG = logging.getLogger(__name__)
_PREFIX: Final = "whsec_"
_LONGEST_DELAY_S: Final = 3600.0
_IDLE_S: Final = 0.5


class Signer:
    """HMAC-SHA256 over id, timestamp and body, once with each secret."""

    def __init__(self, secrets: Iterable[SecretStr]) -> None:
        self._keys = tuple(_key(secret.get_secret_value()) for secret in secrets)

    def headers(self, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
        """`webhook-id`, `webhook-timestamp`, `webhook-signature`."""
        signed = f"{message_id}.{timestamp_s}.".encode() + body
        signatures = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in self._keys)
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
        }


class WebhookCaller:
    """Takes calls from the outbox and makes them, one after the other. Redirects are not followed."""

    def __init__(
        self,
        outbox: Outbox,
        targets: WebhookTargets,
        http: httpx.AsyncClient,
        settings: WebhookSettings,
        metrics: JobMetrics,
    ) -> None:
        self._outbox = outbox
        self._targets = targets
        self._http = http
        self._settings = settings
        self._metrics = metrics
        self._signer = Signer(settings.secrets)

    async def run(self) -> None:
        """Until it is canceled."""
        while True:
            try:
                busy = await self.call_next()
            except NotReady:
                busy = False
            if not busy:
                await asyncio.sleep(_IDLE_S)

    async def call_next(self) -> bool:
        """Make one call; False when none is due."""
        call = await self._outbox.take()
        if call is None:
            return False
        status = await self._call(call)
        if status is not None and httpx.codes.is_success(status):
            outcome, delay_s = "delivered", 0.0
        elif status == httpx.codes.GONE or call.tries >= self._settings.max_tries:
            outcome, delay_s = "dead", 0.0
        else:
            outcome, delay_s = "pending", self._delay_s(call.tries)
        await self._outbox.settle(call, outcome, status=status, delay_s=delay_s)
        self._metrics.webhooks.labels(outcome).inc()
        _LOG.info("webhook of %s, call %d: %s %s", call.analysis_id, call.tries, outcome, status)
        return True

    async def _call(self, call: Call) -> int | None:
        """The answer's status; None where there was none."""
        body = _body(call)
        try:
            pinned = await self._targets.pin(call.url)
            signed = self._signer.headers(webhook_id(call.analysis_id), int(time.time()), body)
            request = self._http.build_request(
                "POST",
                pinned.url,
                content=body,
                headers={"host": pinned.host_header, "content-type": "application/json", **signed},
                extensions={"sni_hostname": pinned.tls_name},
            )
            async with asyncio.timeout(self._settings.timeout_s):
                # The body of the answer is nobody's business.
                response = await self._http.send(request, stream=True, follow_redirects=False)
                await response.aclose()
                return response.status_code
        except (ForbiddenAddress, InvalidWebhook) as error:
            _LOG.warning("webhook of %s was not called: %s", call.analysis_id, error)
        except (httpx.HTTPError, TimeoutError) as error:
            _LOG.info("webhook of %s: no answer (%s)", call.analysis_id, type(error).__name__)
        except Exception:  # noqa: BLE001 - one bad receiver must not keep the others from being called
            _LOG.exception("webhook of %s: unexpected error; the others are called all the same", call.analysis_id)
        return None

    def _delay_s(self, tries: int) -> float:
        """Doubles with each try; a random half of it, so that a receiver that comes back is not run over."""
        longest_s = min(self._settings.retry_s * 2 ** (tries - 1), _LONGEST_DELAY_S)
        return random.uniform(longest_s / 2, longest_s)  # noqa: S311 - no secret


def _body(call: Call) -> bytes:
    """Nothing of the patient: who wants to know more asks, with a key."""
    finished = datetime.fromtimestamp(call.finished_ms / 1000, UTC)
    return json.dumps(
        {
            "type": f"analysis.{call.state}",
            "timestamp": finished.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "data": {
                "id": call.analysis_id,
                "state": call.state,
                "links": {"self": analysis_path(call.analysis_id)},
            },
        }
    ).encode()


def _key(secret: str) -> bytes:
    """The standard's form `whsec_<base64>`, or any other text as it is."""
    if secret.startswith(_PREFIX):
        with contextlib.suppress(binascii.Error):
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    return secret.encode()
