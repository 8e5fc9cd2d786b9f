"""`python -m gateway.worker`: takes jobs from the queue until told to stop. Settings come from the environment.

Composition root of the worker, as `gateway.app` is the gateway's; the same settings serve both. Listens for probes and
metrics alone.
"""

import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

import httpx
from fastapi import FastAPI
from redis.asyncio import Redis

from gateway.collaborators import Collaborators, collaborate
from gateway.jobs.caller import WebhookCaller
from gateway.jobs.execution import Execution
from gateway.jobs.leases import RedisLeases
from gateway.jobs.metrics import JOB_METRICS
from gateway.jobs.service import WorkerService
from gateway.jobs.store import RedisStore
from gateway.jobs.sweep import RedisTurn, Sweeper
from gateway.jobs.worker import Worker
from gateway.settings import GatewaySettings, WorkerSettings
from service_kit.app import create_service_app
from service_kit.serve import serve
from service_kit.settings import load_settings


def create_worker(made: Collaborators, calls: httpx.AsyncClient) -> WorkerService:
    """A worker of these collaborators; `calls` is the client for webhooks."""
    settings, jobs = made.settings, made.settings.jobs
    leases = RedisLeases(made.redis, made.blobs, ttl_s=settings.result_ttl_s, lease_s=jobs.lease_s)
    execution = Execution(made.reader, made.pipeline, made.volume_pipeline, made.blobs)
    caller = WebhookCaller(made.outbox, made.targets, calls, settings.webhooks, JOB_METRICS)
    sweeper = Sweeper(
        made.blobs,
        made.queue,
        RedisTurn(made.redis),
        JOB_METRICS,
        every_s=jobs.sweep_s,
        orphan_s=jobs.orphan_s,
    )
    worker = Worker(leases, execution, made.blobs, jobs, JOB_METRICS)
    return WorkerService(worker, sweeper, caller if settings.webhooks.enabled else None)


@contextlib.asynccontextmanager
async def running_worker(made: Collaborators) -> AsyncIterator[WorkerService]:
    """Inside, a worker runs."""
    # A client of its own: what is called from here is outside, and shares nothing with the services.
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as calls:
        service = create_worker(made, calls)
        async with service.running():
            yield service


def create_app(
    settings: GatewaySettings, *, http: httpx.AsyncClient | None = None, redis: Redis | None = None
) -> FastAPI:
    """The worker as an application whose lifespan is the worker's life. Arguments as of `gateway.app.create_app`."""
    made, life = collaborate(settings, http=http, redis=redis)
    store = RedisStore(made.redis, made.blobs, ttl_s=settings.result_ttl_s)
    services: list[WorkerService] = []

    async def readiness() -> dict[str, bool]:
        return {
            "worker": any(service.alive() for service in services),
            "redis": await store.ready(),
            "blobs": await made.blobs.ready(),
        }

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with life, running_worker(made) as service:
            services.append(service)
            yield

    return create_service_app(
        title="NeuroGate worker",
        version=version("gateway"),
        settings=settings,
        routers=[],
        lifespan=lifespan,
        readiness=readiness,
        docs_url=None,
    )


def main() -> None:
    """Start a worker."""
    settings = load_settings(WorkerSettings)
    serve(lambda: create_app(settings), settings)


if __name__ == "__main__":
    main()
