"""docs/scaling.md from what was measured: `python -m tests.bench.scaling --output docs` (`make scaling`).

Reads docs/benchmarks/{benchmarks,storage,volume}.json, the manifests of k8s and the settings' defaults. Without
volume.json (`make bench-volume`) the page says that volumes were not measured.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import jinja2

from gateway.job_settings import JobSettings
from gateway.settings import WorkerSettings
from segmenter_service.settings import SegmenterSettings
from tests.bench.demand import (
    PEAK_FACTOR,
    REDIS_UTILIZATION,
    STUDIES_A_DAY,
    SliceDay,
    VolumeCost,
    VolumeDay,
    beyond,
    most_studies_of_one_redis,
    slice_day,
    volume_day,
)
from tests.bench.manifests import Cluster, read_cluster

TEMPLATE: Final = Path(__file__).with_name("scaling.md.j2")
_CONTENDER, _TASK = "neurogate", "classify+segment"


def slice_cpu_s(benchmarks: Mapping[str, Any]) -> float:
    """CPU seconds of all server processes for one slice that is classified and outlined, with most clients."""
    rows = [row for row in benchmarks["rows"] if (row["contender"], row["task"]) == (_CONTENDER, _TASK)]
    return float(max(rows, key=lambda row: row["clients"])["server_ms"]) / 1e3


def volume_cost(measured: Mapping[str, Any]) -> VolumeCost:
    """From volume.json."""
    return VolumeCost(
        cpu_s=measured["cpu_s"],
        peak_bytes={process: megabytes * 2**20 for process, megabytes in measured["peak_mb"].items()},
        seconds=measured["seconds"],
        segmentation_s=measured["timings_ms"]["segmentation"] / 1e3,
        engine_cpu_s=measured["engine_cpu_s"],
    )


def page(
    benchmarks: Mapping[str, Any], storage: Mapping[str, Any], measured: Mapping[str, Any] | None, cluster: Cluster
) -> str:
    """docs/scaling.md."""
    cpu_s = slice_cpu_s(benchmarks)
    cost = None if measured is None else volume_cost(measured)
    environment = jinja2.Environment(  # noqa: S701 - Markdown
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters.update(count=count, size=size, span=span)
    days = [] if cost is None else [volume_day(studies, cost, storage, cluster) for studies in STUDIES_A_DAY]
    slice_days = [slice_day(studies, cpu_s, storage, cluster) for studies in STUDIES_A_DAY]
    return environment.from_string(TEMPLATE.read_text()).render(
        peak_factor=PEAK_FACTOR,
        redis_utilization=REDIS_UTILIZATION,
        settings=WorkerSettings(),
        jobs=JobSettings(),
        segmenter=SegmenterSettings(),
        cluster=cluster,
        storage=storage,
        slice_cpu_s=cpu_s,
        cost=cost,
        volumes=_table([f"{count(day.studies)} a day" for day in days], _volume_rows(days)),
        pods=_table([f"{count(day.studies)} a day" for day in days], _pod_rows(days, cluster)),
        slices=_table([f"{count(day.studies)} a day" for day in slice_days], _slice_rows(slice_days)),
        days=[(day, beyond(day, cluster), max(day.needs, key=lambda need: need.cores)) for day in days],
        one_redis=None if cost is None else most_studies_of_one_redis(cost, storage, cluster),
    )


def _table(columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    lines = [("", columns), ("---", ["---:"] * len(columns)), *rows]
    return "\n".join(f"| {first} | {' | '.join(cells)} |" for first, cells in lines)


def _volume_rows(days: Sequence[VolumeDay]) -> Iterator[tuple[str, list[str]]]:
    waiting = JobSettings().max_waiting
    shown: dict[str, Callable[[VolumeDay], str]] = {
        "volumes a second, busiest hour": lambda day: count(day.peak_a_second),
        "volumes in work at once": lambda day: count(day.in_flight),
        "**pods**": lambda day: count(day.pods),
        "**cores** that they request": lambda day: count(day.cores),
        "memory, by request or peak": lambda day: size(day.memory_bytes),
        "**Redis**: memory": lambda day: size(day.redis_bytes),
        "blob store: findings and files, if every file of every volume is opened": lambda day: size(
            day.findings_opened_bytes
        ),
        "Redis: its one thread is busy": lambda day: f"{count(day.redis_busy * 100)} %",
        "Redis: servers like the manifest's": lambda day: count(day.redis_servers),
        "**blobs**: findings that are kept": lambda day: size(day.findings_bytes),
        "blobs: uploads of jobs in work": lambda day: size(day.uploads_in_flight_bytes),
        "uploads a day": lambda day: size(day.uploads_a_day_bytes),
        f"arrivals of the busiest hour that fill a queue of {waiting}": lambda day: span(day.queue_lasts_s),
        "owners of blobs that the sweep lists a second": lambda day: count(day.swept_a_second),
        "gateways for the events, if every caller watches": lambda day: count(day.gateways_for_streams),
        "jobs that the workers can have in work": lambda day: count(day.jobs_in_work),
        "places for volumes in the segmenters": lambda day: count(day.segmenter_places),
    }
    for name, text in shown.items():
        yield name, [text(day) for day in days]


def _pod_rows(days: Sequence[VolumeDay], cluster: Cluster) -> Iterator[tuple[str, list[str]]]:
    for needs in zip(*(day.needs for day in days), strict=True):
        name = needs[0].deployment
        one = cluster.pods[name]
        requests = f"{count(one.cores)} cores, {size(one.memory_bytes)}"
        first = f"`{name}` (requests {requests}; peak {size(needs[0].peak_bytes)} of {size(one.limit_bytes)})"
        yield first, [f"{count(need.pods)} ({need.bound_by})" for need in needs]


def _slice_rows(days: Sequence[SliceDay]) -> Iterator[tuple[str, list[str]]]:
    yield "slices a second, busiest hour", [count(day.peak_a_second) for day in days]
    yield "**cores** that the pods request", [count(day.cores) for day in days]
    yield "**Redis**: memory", [size(day.redis_bytes) for day in days]


def count(number: float) -> str:
    """Three digits that count: 1,230, 45.6, 0.0789."""
    if math.isinf(number):
        return "no limit found"
    if number == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(number))))
    rounded = round(number, 2 - math.floor(math.log10(abs(number))))
    return f"{rounded:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{rounded:,.0f}"


def size(number: float) -> str:
    """Bytes in the unit that reads best."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= factor:
            return f"{count(number / factor)} {unit}"
    return f"{count(number)} B"


def span(seconds: float) -> str:
    """Seconds in the unit that reads best."""
    for unit, factor in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * factor:
            return f"{count(seconds / factor)} {unit}"
    return f"{count(seconds)} s"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write `scaling.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--benchmarks", type=Path, default=Path("docs/benchmarks"), help="folder of the figures")
    parser.add_argument("--manifests", type=Path, default=Path("k8s"))
    parser.add_argument("--output", type=Path, default=Path("docs"))
    asked = parser.parse_args(arguments)
    read = {name: _read(asked.benchmarks / f"{name}.json") for name in ("benchmarks", "storage", "volume")}
    for name, command in (("benchmarks", "bench"), ("storage", "scaling")):
        if read[name] is None:
            sys.exit(f"{asked.benchmarks / name}.json is not there: `make {command}` writes it.")
    text = page(read["benchmarks"], read["storage"], read["volume"], read_cluster(asked.manifests))
    (asked.output / "scaling.md").write_text(text)
    sys.stdout.write(text)


def _read(path: Path) -> Any:
    return json.loads(path.read_text()) if path.exists() else None


if __name__ == "__main__":
    main()
