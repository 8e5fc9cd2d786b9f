"""What workers do, as Prometheus counts it: by (operating system) process."""

from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from gateway.ports import QueueDepth

_JOB_BUCKETS_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)


class JobMetrics:
    """Gauges show the whole queue, the same at every worker: take their maximum. The rest counts this worker's."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.tries = Counter("neurogate_job_tries", "Tries of jobs that ended", ("outcome",), registry=registry)
        self.seconds = Histogram(
            "neurogate_job_seconds", "Time of one try of a job", buckets=_JOB_BUCKETS_S, registry=registry
        )
        self.webhooks = Counter("neurogate_webhook_calls", "Calls of webhooks", ("outcome",), registry=registry)
        self._waiting = Gauge("neurogate_jobs_waiting", "Jobs that wait", registry=registry)
        self._running = Gauge("neurogate_jobs_running", "Jobs that run, at all workers", registry=registry)
        self._due = Gauge("neurogate_webhooks_due", "Webhooks that are to be called", registry=registry)
        self._dead = Gauge("neurogate_webhooks_dead", "Webhooks that are called no more", registry=registry)

    def show(self, depth: QueueDepth) -> None:
        """Set the gauges."""
        self._waiting.set(depth.waiting)
        self._running.set(depth.running)
        self._due.set(depth.webhooks_due)
        self._dead.set(depth.webhooks_dead)


JOB_METRICS: Final = JobMetrics(REGISTRY)
