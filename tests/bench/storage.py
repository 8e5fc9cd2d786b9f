"""What an analysis takes in Redis and in the blob store, by the store itself: `python -m tests.bench.storage`.

The arrays are those of the benches (one 512 x 512 JPEG, the study of `tests.bench.volume`); documents, outline and heat
map are made ones. Redis' bytes are the growth of `used_memory` over many analyses, on a real server.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from redis.asyncio import Redis

from gateway.analysis_id import new_analysis_id
from gateway.artifacts import volume_available
from gateway.findings import BareFile, Findings
from gateway.grid import Grid
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.raster import decode_raster
from gateway.jobs.lease import Lease
from gateway.jobs.volume_packing import pack_volume
from gateway.rendering import render
from gateway.volume_analysis import shown
from gateway.volume_findings import VolumeFindings
from neurogate.embedded_redis import embedded_redis
from tests.bench import volume
from tests.bench.work import sample_jpeg
from tests.unit.gateway_jobs.jobs import Jobs, jobs_on, some_findings
from tests.unit.gateway_volumes.volume_cases import volume_case

ANALYSES = 200
PROGRESS_EVENTS = 100
"""Of one volume's job: at most a few a second are told."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes an analysis. `volume_files_bytes` are added in the blob store when somebody opens all files of a volume."""

    slice_redis_bytes: float
    volume_redis_bytes: float
    volume_upload_bytes: int
    volume_findings_bytes: int
    volume_files_bytes: int
    progress_events: int = PROGRESS_EVENTS


async def slice_findings(jpeg: bytes) -> Findings:
    """A slice as it is kept: the bare file, a mask and a heat map. The fakes answer for the models."""
    pixels = decode_raster(jpeg, "jpeg", DecodeLimits())
    mask = np.zeros(pixels.shape, np.bool_)
    mask[pixels.shape[0] // 3 : pixels.shape[0] // 2, pixels.shape[1] // 3 : pixels.shape[1] // 2] = True
    return replace(await some_findings(), pixels=pixels, mask=mask, file=BareFile("jpeg", jpeg))


def volume_findings(volumes: dict[str, Any]) -> VolumeFindings:
    """The bench's study as it is kept, with an outline of three nested regions where its ball is."""
    case = volume_case((1.0, 1.0, 1.0))
    grid = Grid(volume.SHAPE, np.diag([-1.0, -1.0, 1.0, 1.0]))
    places = np.ogrid[tuple(slice(0, side) for side in volume.SHAPE)]
    middles = zip(places, volume.SHAPE, volume.BALL_VX, strict=True)
    distance_vx = np.sqrt(sum((place - side / 2 - at) ** 2 for place, side, at in middles))
    # Edema around enhancing tumor around a necrotic core.
    inside = [distance_vx < volume.BALL_RADIUS_VX * share for share in (1 / 3, 2 / 3, 1)]
    labels = np.select(inside, (1, 3, 2), 0).astype(np.uint8)
    pictures = {name: shown(voxels) for name, voxels in volumes.items()}
    return replace(case, grid=grid, pictures=pictures, labels=labels)  # type: ignore[arg-type]


async def redis_bytes_of_slices(jobs: Jobs, findings: Findings, count: int = ANALYSES) -> float:
    """Bytes of memory that one saved slice takes, on the mean."""
    before = await _used_bytes(jobs.redis)
    for _ in range(count):
        analysis = findings.analysis.model_copy(update={"id": new_analysis_id()})
        await jobs.store.save(replace(findings, analysis=analysis))
    return (await _used_bytes(jobs.redis) - before) / count


async def redis_bytes_of_volumes(
    jobs: Jobs, findings: VolumeFindings, count: int = ANALYSES, *, events: int = PROGRESS_EVENTS
) -> float:
    """The same of a volume's job that told of its progress and succeeded; what was found is in the blob store."""
    before = await _used_bytes(jobs.redis)
    for _ in range(count):
        await jobs.accept()
        lease = await jobs.leases.claim()
        assert lease is not None
        await _report(jobs, lease, events)
        assert await jobs.leases.succeed(lease, findings)
    return (await _used_bytes(jobs.redis) - before) / count


async def _report(jobs: Jobs, lease: Lease, events: int) -> None:
    for done in range(events):
        await jobs.leases.report(lease.at_step("segmentation", done, events))


async def _used_bytes(redis: Redis) -> int:
    return int((await redis.info("memory"))["used_memory"])


async def measure(sample: Path, folder: Path) -> Storage:
    """All of it. Takes half a minute."""
    made = await slice_findings(sample_jpeg(sample))
    volumes = await asyncio.to_thread(volume.study)
    whole = await asyncio.to_thread(volume_findings, volumes)
    # What a job leaves in Redis does not depend on its arrays: a small volume saves time.
    small = volume_case()
    async with embedded_redis(folder) as url:
        redis: Redis = Redis.from_url(url)
        jobs = jobs_on(redis)
        slice_bytes = await redis_bytes_of_slices(jobs, made)
        volume_bytes = await redis_bytes_of_volumes(jobs, small)
        await redis.aclose()
    packed = len(await asyncio.to_thread(pack_volume, whole))
    names = volume_available(outlined=True, mapped=True)
    files = {name: len(await asyncio.to_thread(render, name, whole)) for name in names}
    uploads = sum(len(content) for _, (_, content, _) in volume.files(volumes))
    return Storage(slice_bytes, volume_bytes, uploads, packed, sum(files.values()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write `storage.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=Path, default=Path("samples/axial-glioma.png"))
    parser.add_argument("--output", type=Path, help="folder for storage.json")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="neurogate-bench-") as name:
        text = json.dumps(asdict(asyncio.run(measure(asked.sample, Path(name)))), indent=2) + "\n"
    sys.stdout.write(text)
    if asked.output is not None:
        asked.output.mkdir(parents=True, exist_ok=True)
        (asked.output / "storage.json").write_text(text)


if __name__ == "__main__":
    main()
