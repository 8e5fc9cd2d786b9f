"""Studies a day to pods, cores, memory and bytes: the arithmetic of docs/scaling.md."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.job_settings import JobSettings
from gateway.settings import WorkerSettings
from segmenter_service.settings import SegmenterSettings
from tests.bench.manifests import Cluster

DAY_S: Final = 86_400
STUDIES_A_DAY: Final = (1_000, 100_000, 10_000_000)
PEAK_FACTOR: Final = 3.0
"""The busiest hour against the day's mean: as if all came within eight hours."""
REDIS_UTILIZATION: Final = 0.5
"""Of Redis' one thread: a server at more answers late whenever several scripts come at once."""
_ROLES: Final = {
    "gateway": ("gateway",),
    "worker": ("worker",),
    "classifier": ("classifier-view", "classifier-tumor"),
    "segmenter": ("segmenter",),
    "metadata": ("metadata",),
}
"""Processes of the bench, and the deployments that share their work in a cluster."""


@dataclass(frozen=True, slots=True)
class VolumeCost:
    """One four-sequence study: CPU seconds and peak memory of each process, how long it and its segmentation took."""

    cpu_s: Mapping[str, float]
    peak_bytes: Mapping[str, float]
    seconds: float
    segmentation_s: float
    engine_cpu_s: float


@dataclass(frozen=True, slots=True)
class Need:
    """Pods of one deployment at the busiest hour: by CPU, by places, and what they reserve and take.

    `peak_bytes` is the memory of a pod in the bench, with one volume; `memory_bytes` of all pods is the larger of that
    and of what they request.
    """

    deployment: str
    busy_cores: float
    pods: int
    cores: float
    memory_bytes: float
    peak_bytes: float
    limit_bytes: int
    bound_by: str


@dataclass(frozen=True, slots=True)
class VolumeDay:
    """What a day of so many four-sequence studies needs."""

    studies: int
    peak_a_second: float
    in_flight: float
    needs: tuple[Need, ...]
    redis_bytes: float
    findings_opened_bytes: float
    redis_busy: float
    redis_servers: int
    findings_bytes: float
    uploads_in_flight_bytes: float
    uploads_a_day_bytes: float
    queue_lasts_s: float
    swept_a_second: float
    gateways_for_streams: int
    jobs_in_work: int
    segmenter_places: int

    @property
    def cores(self) -> float:
        """Reserved by all pods but Redis'."""
        return sum(need.cores for need in self.needs)

    @property
    def pods(self) -> int:
        """All but Redis'."""
        return sum(need.pods for need in self.needs)

    @property
    def memory_bytes(self) -> float:
        """Of all pods but Redis'."""
        return sum(need.memory_bytes for need in self.needs)


@dataclass(frozen=True, slots=True)
class SliceDay:
    """What a day of so many single slices, answered at once, needs."""

    studies: int
    peak_a_second: float
    cores: float
    redis_bytes: float


def peak_a_second(studies: int) -> float:
    """Studies a second in the busiest hour."""
    return studies / DAY_S * PEAK_FACTOR


def kept(studies: int, ttl_s: float) -> float:
    """Analyses that are there at once."""
    return studies * ttl_s / DAY_S


def volume_day(studies: int, cost: VolumeCost, storage: Mapping[str, Any], cluster: Cluster) -> VolumeDay:
    """The arithmetic of volumes; settings at their defaults."""
    rate = peak_a_second(studies)
    settings, jobs = WorkerSettings(), JobSettings()
    alive = kept(studies, settings.result_ttl_s)
    in_flight = rate * cost.seconds  # Little's law
    redis_bytes = alive * storage["volume_redis_bytes"]
    redis_busy = rate * cost.cpu_s.get("redis", 0.0)
    needs = tuple(_needs(rate, cost, cluster))
    pods = {need.deployment: need.pods for need in needs}
    segmenter = SegmenterSettings()
    return VolumeDay(
        studies=studies,
        peak_a_second=rate,
        in_flight=in_flight,
        needs=needs,
        redis_bytes=redis_bytes,
        findings_opened_bytes=alive * (storage["volume_findings_bytes"] + storage["volume_files_bytes"]),
        redis_busy=redis_busy,
        redis_servers=math.ceil(max(redis_bytes / cluster.redis_bytes, redis_busy / REDIS_UTILIZATION)),
        findings_bytes=alive * storage["volume_findings_bytes"],
        uploads_in_flight_bytes=in_flight * storage["volume_upload_bytes"],
        uploads_a_day_bytes=studies * storage["volume_upload_bytes"],
        queue_lasts_s=jobs.max_waiting / rate,
        swept_a_second=alive / jobs.sweep_s,
        gateways_for_streams=math.ceil(in_flight / jobs.max_event_streams),
        jobs_in_work=pods["worker"] * jobs.concurrency,
        segmenter_places=pods["segmenter"] * (segmenter.volumes_at_once + segmenter.volumes_waiting),
    )


def slice_day(studies: int, cpu_s: float, storage: Mapping[str, Any], cluster: Cluster) -> SliceDay:
    """The arithmetic of slices; `cpu_s` is of all servers' processes together."""
    rate = peak_a_second(studies)
    alive = kept(studies, WorkerSettings().result_ttl_s)
    return SliceDay(
        studies=studies,
        peak_a_second=rate,
        cores=rate * cpu_s / cluster.utilization,
        redis_bytes=alive * storage["slice_redis_bytes"],
    )


def _needs(rate: float, cost: VolumeCost, cluster: Cluster) -> Iterator[Need]:
    """For each deployment the largest of three: pods for its CPU, pods for the work in flight, the least."""
    places = {
        "worker": rate * cost.seconds / JobSettings().concurrency,
        "segmenter": rate * cost.segmentation_s / SegmenterSettings().volumes_at_once,
    }
    for process, deployments in _ROLES.items():
        # Two deployments that are one process of the bench: half of its CPU each.
        busy = rate * cost.cpu_s.get(process, 0.0) / len(deployments)
        for name in deployments:
            one = cluster.pods[name]
            counts = {
                "the least": one.least,
                "CPU": math.ceil(busy / (cluster.utilization * one.cores)),
                "places": math.ceil(places.get(name, 0) / cluster.utilization),
            }
            why = max(counts, key=counts.__getitem__)
            pods = counts[why]
            peak = cost.peak_bytes.get(process, 0.0)
            memory = pods * max(peak, one.memory_bytes)
            yield Need(name, busy, pods, pods * one.cores, memory, peak, one.limit_bytes, why)


def beyond(day: VolumeDay, cluster: Cluster) -> tuple[Need, ...]:
    """The deployments that want more pods than their autoscaler starts."""
    most = {name: one.most for name, one in cluster.pods.items()}
    return tuple(need for need in day.needs if need.pods > (most[need.deployment] or math.inf))


def most_studies_of_one_redis(cost: VolumeCost, storage: Mapping[str, Any], cluster: Cluster) -> dict[str, float]:
    """Four-sequence studies a day at which one Redis is full, and at which its thread is busy enough."""
    by_memory = cluster.redis_bytes / storage["volume_redis_bytes"] * DAY_S / WorkerSettings().result_ttl_s
    cpu_s = cost.cpu_s.get("redis", 0.0)
    by_cpu = math.inf if cpu_s <= 0 else REDIS_UTILIZATION / cpu_s * DAY_S / PEAK_FACTOR
    return {"memory": by_memory, "CPU": by_cpu}
