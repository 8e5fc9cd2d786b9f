"""The arithmetic of docs/scaling.md, on figures that a person can follow."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from gateway.job_settings import JobSettings
from gateway.settings import WorkerSettings
from segmenter_service.settings import SegmenterSettings
from tests.bench.demand import (
    DAY_S,
    PEAK_FACTOR,
    REDIS_UTILIZATION,
    Need,
    VolumeCost,
    beyond,
    most_studies_of_one_redis,
    slice_day,
    volume_day,
)
from tests.bench.manifests import Cluster, Requests, bytes_of, read_cluster
from tests.bench.scaling import count, page, size, slice_cpu_s, span, volume_cost

ROOT = Path(__file__).resolve().parents[3]
STORAGE: dict[str, Any] = {
    "slice_redis_bytes": 1000,
    "volume_redis_bytes": 100,
    "volume_upload_bytes": 5000,
    "volume_findings_bytes": 2000,
    "volume_files_bytes": 3000,
    "progress_events": 10,
}
DEPLOYMENTS = ("gateway", "worker", "classifier-view", "classifier-tumor", "segmenter", "metadata")
CLUSTER = Cluster({name: Requests(0.5, 10, 40, least=2, most=8) for name in DEPLOYMENTS}, 0.5, 10_000)
COST = VolumeCost(
    cpu_s={"gateway": 1.0, "worker": 2.0, "classifier": 4.0, "segmenter": 30.0, "metadata": 0.0, "redis": 0.25},
    peak_bytes={"worker": 2.0**20, "gateway": 5.0},
    seconds=40.0,
    segmentation_s=20.0,
    engine_cpu_s=25.0,
)
ONE_A_SECOND = round(DAY_S / PEAK_FACTOR)
MEASURED = {
    "cpu_s": dict(COST.cpu_s),
    "peak_mb": {"worker": 1.0, "gateway": 5 / 2**20},
    "seconds": 40.0,
    "engine_cpu_s": 25.0,
    "timings_ms": {"segmentation": 20_000.0},
}


def needs(studies: int, cost: VolumeCost = COST) -> dict[str, Need]:
    return {need.deployment: need for need in volume_day(studies, cost, STORAGE, CLUSTER).needs}


def test_pods_follow_the_cpu_at_the_autoscalers_aim() -> None:
    found = needs(ONE_A_SECOND)
    # One core each second, of pods that use half of their half core.
    assert (found["gateway"].pods, found["gateway"].bound_by) == (4, "CPU")
    assert found["gateway"].cores == 2.0
    # Of what a pod requests and what it took, the larger.
    assert found["gateway"].memory_bytes == 40
    assert found["worker"].memory_bytes == found["worker"].pods * 2**20
    assert found["segmenter"].pods == 120


def test_deployments_of_one_process_share_its_cpu() -> None:
    found = needs(ONE_A_SECOND)
    assert found["classifier-view"].busy_cores == found["classifier-tumor"].busy_cores == 2.0


def test_few_studies_need_the_least() -> None:
    assert {(need.pods, need.bound_by) for need in needs(1).values()} == {(2, "the least")}


def test_pods_follow_the_places_where_the_cpu_waits() -> None:
    idle = VolumeCost(dict.fromkeys(COST.cpu_s, 0.0), {}, seconds=40.0, segmentation_s=20.0, engine_cpu_s=0.0)
    found = needs(ONE_A_SECOND, idle)
    assert found["segmenter"].pods == math.ceil(20 / SegmenterSettings().volumes_at_once / 0.5)
    assert found["worker"].pods == math.ceil(40 / JobSettings().concurrency / 0.5)
    assert found["worker"].bound_by == "places"


def test_a_day_of_volumes() -> None:
    day = volume_day(ONE_A_SECOND, COST, STORAGE, CLUSTER)
    alive = ONE_A_SECOND * WorkerSettings().result_ttl_s / DAY_S
    assert day.peak_a_second == pytest.approx(1.0)
    assert day.in_flight == pytest.approx(40.0)
    assert day.redis_bytes == pytest.approx(alive * 100)
    assert day.findings_opened_bytes == pytest.approx(alive * (2000 + 3000))
    assert day.redis_busy == pytest.approx(0.25)
    assert day.redis_servers == math.ceil(max(alive * 100 / 10_000, 0.25 / REDIS_UTILIZATION))
    assert day.findings_bytes == pytest.approx(alive * 2000)
    assert day.uploads_in_flight_bytes == pytest.approx(40 * 5000)
    assert day.uploads_a_day_bytes == ONE_A_SECOND * 5000
    assert day.queue_lasts_s == pytest.approx(JobSettings().max_waiting)
    assert day.swept_a_second == pytest.approx(alive / JobSettings().sweep_s)
    assert day.jobs_in_work == needs(ONE_A_SECOND)["worker"].pods * JobSettings().concurrency
    places = SegmenterSettings().volumes_at_once + SegmenterSettings().volumes_waiting
    assert day.segmenter_places == needs(ONE_A_SECOND)["segmenter"].pods * places
    assert day.cores == sum(need.cores for need in day.needs)
    assert {need.deployment for need in beyond(day, CLUSTER)} >= {"segmenter", "worker"}
    assert not beyond(volume_day(1, COST, STORAGE, CLUSTER), CLUSTER)


def test_one_redis_is_full_or_busy() -> None:
    most = most_studies_of_one_redis(COST, STORAGE, CLUSTER)
    assert most["memory"] == pytest.approx(100 * DAY_S / WorkerSettings().result_ttl_s)
    assert volume_day(round(most["CPU"]), COST, STORAGE, CLUSTER).redis_busy == pytest.approx(REDIS_UTILIZATION, 1e-3)
    free = VolumeCost({}, {}, 1.0, 1.0, 1.0)
    assert most_studies_of_one_redis(free, STORAGE, CLUSTER)["CPU"] == math.inf


def test_a_day_of_slices() -> None:
    day = slice_day(ONE_A_SECOND, 0.03, STORAGE, CLUSTER)
    assert day.cores == pytest.approx(0.06)
    assert day.redis_bytes == pytest.approx(ONE_A_SECOND * WorkerSettings().result_ttl_s / DAY_S * 1000)


def test_the_manifests_are_read() -> None:
    cluster = read_cluster(ROOT / "k8s")
    assert set(DEPLOYMENTS) < set(cluster.pods)
    assert all(one.cores > 0 and one.memory_bytes > 2**20 for one in cluster.pods.values())
    assert all((cluster.pods[name].most or 0) > cluster.pods[name].least for name in DEPLOYMENTS)
    assert 0 < cluster.utilization < 1
    assert cluster.redis_bytes > 2**20
    assert (bytes_of("256Mi"), bytes_of("512mb")) == (256 * 2**20, 512 * 2**20)


def test_the_page_has_every_figure() -> None:
    rows = [
        {"contender": "neurogate", "task": "classify+segment", "clients": clients, "server_ms": ms}
        for clients, ms in ((1, 90.0), (32, 45.0))
    ]
    benchmarks = {"rows": rows}
    assert slice_cpu_s(benchmarks) == pytest.approx(0.045)
    assert volume_cost(MEASURED) == COST
    text = page(benchmarks, STORAGE, MEASURED, CLUSTER)
    assert "| 45 ms |" in text
    assert f"| `segmenter` (requests 0.5 cores, 10 B; peak 0 B of 40 B) | {needs(1000)['segmenter'].pods}" in text
    assert "A `worker` with one volume takes more memory than its limit" in text
    assert "A `gateway` with" not in text
    assert "No volume has been measured" not in text
    assert "No volume has been measured" in page(benchmarks, STORAGE, None, CLUSTER)


def test_the_kept_figures_make_a_page() -> None:
    kept = {name: json.loads((ROOT / f"docs/benchmarks/{name}.json").read_text()) for name in ("benchmarks", "storage")}
    measured = ROOT / "docs/benchmarks/volume.json"
    volume = json.loads(measured.read_text()) if measured.exists() else None
    text = page(kept["benchmarks"], kept["storage"], volume, read_cluster(ROOT / "k8s"))
    assert size(kept["storage"]["volume_findings_bytes"]) in text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (1234.5, "1,230"), (45.67, "45.7"), (3.0, "3"), (0.07891, "0.0789"), (999.9, "1,000")],
)
def test_three_digits_count(number: float, text: str) -> None:
    assert count(number) == text


def test_units() -> None:
    assert size(70_112) == "70.1 kB"
    assert size(2.5e13) == "25 TB"
    assert (span(30), span(288), span(86_400)) == ("30 s", "4.8 min", "24 h")
