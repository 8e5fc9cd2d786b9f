"""The worker as an application of its own, beside a gateway without one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from redis.asyncio import Redis

import gateway.app
import gateway.worker
from gateway.jobs import keys
from gateway.settings import GatewaySettings
from service_kit.testing import running_app
from tests.contract.conftest import Services
from tests.contract.test_jobs import accepted, finished, settings
from tests.unit.gateway_jobs.fakes import until


@contextlib.asynccontextmanager
async def serving(
    services: Services, redis: Redis, asked: GatewaySettings
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A gateway and a worker."""
    async with (
        services.client() as http,
        running_app(gateway.app.create_app(asked, http=http, redis=redis)) as api,
        running_app(gateway.worker.create_app(asked, http=http, redis=redis)) as worker,
    ):
        yield api, worker


async def test_a_worker_does_what_a_gateway_accepts(tiny_services: Services, redis: Redis, tmp_path: Path) -> None:
    async with serving(tiny_services, redis, settings(tmp_path)) as (api, worker):
        location = await accepted(api)
        assert (await finished(api, location))["state"] == "succeeded"
        ready = await worker.get("/health/ready")
        assert ready.json() == {"status": "ok", "checks": {"worker": True, "redis": True, "blobs": True}}
        assert (await worker.get("/health/live")).is_success
        shown = (await worker.get("/metrics")).text
        assert 'neurogate_job_tries_total{outcome="succeeded"}' in shown
        assert "neurogate_jobs_waiting 0.0" in shown
        assert (await worker.get("/v1/analyses")).status_code == 404


async def test_a_worker_that_ends_gives_back_what_it_cannot_finish(
    tiny_services: Services, redis: Redis, tmp_path: Path
) -> None:
    slow = settings(tmp_path, grace_s=0.0)
    mounts = {"http://classifier": httpx.MockTransport(never)}
    async with (
        httpx.AsyncClient(mounts=mounts) as stuck,
        tiny_services.client() as http,
        running_app(gateway.app.create_app(slow, http=http, redis=redis)) as api,
    ):
        async with running_app(gateway.worker.create_app(slow, http=stuck, redis=redis)):
            location = await accepted(api)
            key = keys.analysis(location.rpartition("/")[2])
            async with asyncio.timeout(20):
                while (await api.get(location)).json()["progress"]["stage"] != "view":  # noqa: ASYNC110 - it is told by HTTP
                    await asyncio.sleep(0.02)
        assert (await api.get(location)).json()["state"] == "queued"
        assert await redis.hget(key, "tries") == b"0"
        async with running_app(gateway.worker.create_app(slow, http=http, redis=redis)):
            assert (await finished(api, location))["state"] == "succeeded"
        assert await redis.hget(key, "tries") == b"1"


async def test_a_canceled_job_frees_its_worker_within_two_seconds(
    tiny_services: Services, redis: Redis, tmp_path: Path
) -> None:
    asked = settings(tmp_path, concurrency=1)
    begun: list[httpx.Request] = []

    async def noted(request: httpx.Request) -> httpx.Response:
        begun.append(request)
        return await never(request)

    async with (
        httpx.AsyncClient(mounts={"http://classifier": httpx.MockTransport(noted)}) as stuck,
        tiny_services.client() as http,
        running_app(gateway.app.create_app(asked, http=http, redis=redis)) as api,
        running_app(gateway.worker.create_app(asked, http=stuck, redis=redis)),
    ):
        first, second = await accepted(api), await accepted(api)
        await until(lambda: len(begun) == 1)
        assert (await api.post(f"{first}/cancel")).json()["state"] == "canceled"
        await until(lambda: len(begun) == 2, within_s=2)
        assert (await api.get(first)).json()["state"] == "canceled"
        await api.delete(second)


async def never(_: httpx.Request) -> httpx.Response:
    await asyncio.sleep(3600)
    return httpx.Response(500)
