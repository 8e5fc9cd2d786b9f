"""Webhooks against a real receiver: signed, tried again, given up, called once more, and never called inside."""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import json
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr, ValidationError
from redis.asyncio import Redis

from gateway.errors import InvalidWebhook
from gateway.job_settings import WebhookSettings
from gateway.jobs.caller import Signer, WebhookCaller
from gateway.jobs.metrics import JobMetrics
from gateway.jobs.outbox import RedisOutbox
from gateway.jobs.targets import Address, ForbiddenAddress, WebhookTargets
from gateway.schemas import WebhookDelivery
from service_kit.errors import Conflict, NotFound, UpstreamFailed
from tests.unit.gateway_jobs.jobs import Jobs, jobs_on
from tests.unit.gateway_jobs.receiver import Receiver, receiving

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789").decode()
SETTINGS = WebhookSettings(
    hosts=("localhost",),
    secrets=(SecretStr(SECRET),),
    networks=(ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Network("::1/128")),
    allow_http=True,
    retry_s=0.1,
    max_tries=3,
    timeout_s=2,
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


async def loopback(host: str, port: int) -> list[Address]:
    return [ipaddress.IPv4Address("127.0.0.1")]


class Hooks:
    """A job with a webhook, the outbox, and who calls."""

    def __init__(self, redis: Redis, http: httpx.AsyncClient, settings: WebhookSettings = SETTINGS) -> None:
        self.jobs: Jobs = jobs_on(redis)
        targets = WebhookTargets(settings, loopback)
        self.outbox = RedisOutbox(redis, targets, lease_s=0.3)
        self.caller = WebhookCaller(self.outbox, targets, http, settings, JobMetrics(CollectorRegistry()))

    async def finished(self, url: str) -> str:
        analysis_id = await self.jobs.accept(webhook=url)
        lease = await self.jobs.leases.claim()
        assert lease is not None
        await self.jobs.leases.fail(lease, UpstreamFailed("no"))
        return analysis_id

    async def call_until(self, analysis_id: str, state: str) -> WebhookDelivery:
        async with asyncio.timeout(20):
            while (delivery := await self.outbox.delivery(analysis_id)).state != state:
                if not await self.caller.call_next():
                    await asyncio.sleep(0.02)
        return delivery


@pytest.fixture
async def hooks(redis: Redis) -> AsyncIterator[Hooks]:
    async with httpx.AsyncClient(trust_env=False) as http:
        yield Hooks(redis, http)


async def test_a_finished_job_calls_once_and_signs(hooks: Hooks, receiver: Receiver) -> None:
    analysis_id = await hooks.finished(receiver.url + "hook?x=1")
    assert (await hooks.outbox.delivery(analysis_id)).state == "pending"
    delivery = await hooks.call_until(analysis_id, "delivered")
    assert (delivery.tries, delivery.last_status) == (1, 204)
    assert not await hooks.caller.call_next()
    ((path, headers, body),) = receiver.received
    assert path == "/hook?x=1"
    assert headers["host"] == receiver.url.removeprefix("http://").rstrip("/")
    assert headers["webhook-id"] == delivery.webhook_id == f"msg_{analysis_id}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = hmac.new(b"0123456789abcdef0123456789", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"
    told = json.loads(body)
    assert told["type"] == "analysis.failed"
    assert told["data"] == {
        "id": analysis_id,
        "state": "failed",
        "links": {"self": f"/v1/analyses/{analysis_id}"},
    }


def test_the_signature_is_that_of_the_standards_example() -> None:
    """The test vector of the reference implementations (standard-webhooks/standard-webhooks)."""
    signer = Signer([SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")])
    headers = signer.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_secret_signs() -> None:
    headers = Signer([SecretStr("a" * 24), SecretStr("b" * 24)]).headers("msg_1", 1, b"{}")
    assert [part[:3] for part in headers["webhook-signature"].split(" ")] == ["v1,", "v1,"]


async def test_a_canceled_job_calls_too(hooks: Hooks, receiver: Receiver) -> None:
    analysis_id = await hooks.jobs.accept(webhook=receiver.url)
    assert (await hooks.outbox.delivery(analysis_id)).state == "waiting"
    with pytest.raises(Conflict):
        await hooks.outbox.redeliver(analysis_id)
    await hooks.jobs.queue.cancel(analysis_id)
    await hooks.call_until(analysis_id, "delivered")
    assert json.loads(receiver.received[0][2])["type"] == "analysis.canceled"


async def test_a_receiver_that_fails_is_called_again_with_the_same_id(hooks: Hooks, receiver: Receiver) -> None:
    receiver.answers = [500, 404]
    analysis_id = await hooks.finished(receiver.url)
    delivery = await hooks.call_until(analysis_id, "delivered")
    assert delivery.tries == 3
    assert len({headers["webhook-id"] for _, headers, _ in receiver.received}) == 1
    assert len({body for _, _, body in receiver.received}) == 1


async def test_after_its_tries_it_is_a_dead_letter_and_can_be_called_again(hooks: Hooks, receiver: Receiver) -> None:
    receiver.answers = [500, 500, 500]
    analysis_id = await hooks.finished(receiver.url)
    dead = await hooks.call_until(analysis_id, "dead")
    assert (dead.tries, dead.last_status) == (3, 500)
    assert (await hooks.jobs.queue.depth()).webhooks_dead == 1
    await asyncio.sleep(0.35)
    assert not await hooks.caller.call_next()
    assert (await hooks.outbox.redeliver(analysis_id)).state == "pending"
    assert (await hooks.call_until(analysis_id, "delivered")).tries == 1
    assert (await hooks.jobs.queue.depth()).webhooks_dead == 0
    assert len({headers["webhook-id"] for _, headers, _ in receiver.received}) == 1


async def test_gone_means_never_again(hooks: Hooks, receiver: Receiver) -> None:
    receiver.answers = [410]
    delivery = await hooks.call_until(await hooks.finished(receiver.url), "dead")
    assert delivery.tries == 1


async def test_a_redirect_is_not_followed(hooks: Hooks, receiver: Receiver) -> None:
    receiver.answers = [307]
    analysis_id = await hooks.finished(receiver.url)
    await hooks.call_until(analysis_id, "delivered")
    assert [path for path, _, _ in receiver.received] == ["/", "/"]


async def test_a_receiver_that_does_not_answer_is_left(redis: Redis, receiver: Receiver) -> None:
    receiver.answers = [None]
    async with httpx.AsyncClient(trust_env=False) as http:
        hooks = Hooks(redis, http, SETTINGS.model_copy(update={"timeout_s": 0.2, "max_tries": 1}))
        delivery = await hooks.call_until(await hooks.finished(receiver.url), "dead")
    assert delivery.last_status is None


async def test_a_call_whose_caller_died_is_made_by_another(hooks: Hooks, receiver: Receiver) -> None:
    analysis_id = await hooks.finished(receiver.url)
    taken = await hooks.outbox.take()
    assert taken is not None
    assert await hooks.outbox.take() is None
    await asyncio.sleep(0.35)
    assert (await hooks.call_until(analysis_id, "delivered")).tries == 2
    await hooks.outbox.settle(taken, "dead", status=500)  # the dead one's word counts no more
    assert (await hooks.outbox.delivery(analysis_id)).state == "delivered"


async def test_an_erased_analysis_calls_nobody(hooks: Hooks, receiver: Receiver) -> None:
    analysis_id = await hooks.finished(receiver.url)
    await hooks.jobs.store.delete(analysis_id)
    assert not await hooks.caller.call_next()
    with pytest.raises(NotFound):
        await hooks.outbox.delivery(analysis_id)


async def test_an_analysis_without_a_webhook_says_so(hooks: Hooks) -> None:
    analysis_id = await hooks.jobs.accept()
    for asked in (hooks.outbox.delivery, hooks.outbox.redeliver):
        with pytest.raises(NotFound, match="without a webhook"):
            await asked(analysis_id)


STRICT = WebhookSettings(
    hosts=("ris.example", "*.clinic.example", "10.1.2.3", "8.8.8.8"), secrets=(SecretStr("s" * 24),)
)


@pytest.mark.parametrize("url", ["https://ris.example/a?b=1", "https://a.b.clinic.example:8443/", "https://8.8.8.8/"])
def test_what_the_list_holds_is_taken(url: str) -> None:
    assert str(WebhookTargets(STRICT).check(url)) == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://ris.example/", "https://"),
        ("ftp://ris.example/", "https://"),
        ("ris.example", "https://"),
        ("https://", "host"),
        ("https://ris.example.evil.test/", "host"),
        ("https://clinic.example/", "host"),
        ("https://evilclinic.example/", "host"),
        ("https://user:password@ris.example/", "user name"),
        ("https://ris.example@evil.test/", "user name"),
        ("https://ris.example/#x", "fragment"),
        ("https://10.1.2.3/", "private"),
        ("https://127.0.0.1/", "host"),
        ("https://[::1]/", "host"),
        ("https://ris.example:99999/", "URL"),
        ("https://ris.example/\n", "URL"),
    ],
)
def test_what_the_list_does_not_hold_is_refused(url: str, words: str) -> None:
    with pytest.raises(InvalidWebhook, match=words) as refused:
        WebhookTargets(STRICT).check(url)
    assert url not in refused.value.detail or url == "https://"


def test_without_hosts_or_secrets_nobody_is_called() -> None:
    for settings in (WebhookSettings(), WebhookSettings(hosts=("ris.example",))):
        with pytest.raises(InvalidWebhook, match="calls nobody"):
            WebhookTargets(settings).check("https://ris.example/")


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "fd00::1",
     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::"],
)  # fmt: skip
async def test_a_name_that_leads_inside_is_not_called(address: str) -> None:
    async def inside(host: str, port: int) -> list[Address]:
        return [ipaddress.ip_address("93.184.215.14"), ipaddress.ip_address(address)]

    with pytest.raises(ForbiddenAddress):
        await WebhookTargets(STRICT, inside).pin("https://ris.example/")


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    async def outside(host: str, port: int) -> list[Address]:
        assert (host, port) == ("ris.example", 443)
        return [ipaddress.ip_address("93.184.215.14")]

    pinned = await WebhookTargets(STRICT, outside).pin("https://ris.example/hook")
    assert (str(pinned.url), pinned.host_header) == ("https://93.184.215.14/hook", "ris.example")
    assert pinned.tls_name == "ris.example"


async def test_a_name_without_an_address_is_not_called() -> None:
    async def nowhere(host: str, port: int) -> list[Address]:
        raise OSError("no such name")

    with pytest.raises(ForbiddenAddress):
        await WebhookTargets(STRICT, nowhere).pin("https://ris.example/")


async def test_a_private_network_can_be_allowed() -> None:
    async def inside(host: str, port: int) -> list[Address]:
        return [ipaddress.ip_address("10.20.1.1")]

    allowed = STRICT.model_copy(update={"networks": (ipaddress.IPv4Network("10.20.0.0/16"),)})
    assert (await WebhookTargets(allowed, inside).pin("https://ris.example/")).url.host == "10.20.1.1"


@pytest.mark.parametrize(
    "wrong", [{"hosts": ["https://ris.example"]}, {"hosts": ["*"]}, {"hosts": ["a.*.b"]}, {"secrets": ["short"]}]
)
def test_wrong_settings_are_refused(wrong: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationError):
        WebhookSettings.model_validate(wrong)
