"""Prometheus metrics. Requests are counted for each application, models for the whole (operating system) process."""

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import generate_latest as _render

METRICS_MEDIA_TYPE = CONTENT_TYPE_LATEST

_REQUEST_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_RUN_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64)


class RequestMetrics:
    """What one application answered. It has a registry of its own, so that many applications fit in one program."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "neurogate_request_seconds",
            "Time from a request's first byte to its answer's last",
            ("method", "route", "status"),
            buckets=_REQUEST_BUCKETS_S,
            registry=self.registry,
        )
        self._bound: dict[tuple[str, str, int], Histogram] = {}
        gauge = Gauge("neurogate_requests_in_flight", "Requests being answered now", registry=self.registry)
        gauge.set_function(lambda: self.in_flight)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        key = (method, route, status)
        child = self._bound.get(key)
        if child is None:
            child = self._bound[key] = self._seconds.labels(method, route, str(status))
        child.observe(seconds)

    def render(self) -> bytes:
        """The text that Prometheus reads: this application's requests, then the models and the memory of them all."""
        return _render(self.registry) + _render(REGISTRY)


class InferenceMetrics:
    """What the models of this program do, by model name."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.run_seconds = Histogram(
            "neurogate_inference_seconds",
            "Time of one run of a model",
            ("model",),
            buckets=_RUN_BUCKETS_S,
            registry=registry,
        )
        self.batch_size = Histogram(
            "neurogate_batch_size",
            "Inputs in one run of a model",
            ("model",),
            buckets=_BATCH_BUCKETS,
            registry=registry,
        )
        self.queue_depth = Gauge("neurogate_queue_depth", "Calls waiting for a model", ("model",), registry=registry)
        self.dropped = Counter(
            "neurogate_inference_dropped",
            "Calls that were not run",
            ("model", "reason"),
            registry=registry,
        )


# Prometheus counts by (operating system) process, and so does its default registry.
INFERENCE_METRICS = InferenceMetrics(REGISTRY)
