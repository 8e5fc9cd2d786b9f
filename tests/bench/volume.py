"""A four-sequence study through the deployed services: time by stage, memory of each process, CPU against the engine.

`python -m tests.bench.volume --output docs/benchmarks` (`make bench-volume`). The study is made: a brain-sized
ellipsoid with texture on BraTS's grid, 240 x 240 x 155 voxels of 1 mm, without skull, so that anybody can run it.
"""

import argparse
import asyncio
import contextlib
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nibabel
import numpy as np
import onnxruntime as ort
import psutil
from numpy.typing import NDArray

from neurogate.embedded_redis import embedded_redis
from service_kit.inference.manifest import ModelManifest
from service_kit.inference.tiling import cut, tile_corners
from tests.bench.contenders import free_port, running_processes

SHAPE = (240, 240, 155)
SEQUENCES = ("t1", "t1ce", "t2", "flair")
BALL_VX, BALL_RADIUS_VX = (25, 20, 10), 18
"""The lesion: its center, from the middle of the volume, and its radius."""
_HALF_AXES_VX = (70, 87, 68)
_MODEL = "unet3d"
_IDLE_S = 10.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: the finished analysis, and of each process CPU seconds and peak resident megabytes.

    `cpu_s` is what the study cost; what the processes use without one (probes, polls, renewals) is in `idle_cpu_s`, as
    much as they would have used in the same time: how long a run takes says something of the machine alone.
    """

    analysis: dict[str, Any]
    seconds: float
    cpu_s: dict[str, float]
    idle_cpu_s: float
    peak_mb: dict[str, float]
    engine_cpu_s: float
    tiles: int


def study() -> dict[str, NDArray[np.int16]]:
    """The sequences `[240, 240, 155]`: one texture, differently bright, and a bright ball in it."""
    random = np.random.default_rng(3)
    places = np.meshgrid(*(np.arange(size) - size / 2 for size in SHAPE), indexing="ij")
    inside = sum((axis / half) ** 2 for axis, half in zip(places, _HALF_AXES_VX, strict=True)) < 1
    ball = sum((axis - at) ** 2 for axis, at in zip(places, BALL_VX, strict=True)) < BALL_RADIUS_VX**2
    texture = 400 + 60 * np.sin(places[0] / 9) * np.cos(places[1] / 11) * np.sin(places[2] / 8)
    made = {}
    for number, name in enumerate(SEQUENCES):
        noisy = texture + random.normal(0, 25, SHAPE) + np.where(ball, 120 + 90 * number, 0)
        made[name] = np.where(inside, np.clip(noisy * (1 + 0.2 * number), 1, 4000), 0).astype(np.int16)
    return made


def files(volumes: dict[str, NDArray[np.int16]]) -> list[tuple[str, tuple[str, bytes, str]]]:
    """The form's parts, `.nii.gz`."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    parts = []
    for name, voxels in volumes.items():
        content = gzip.compress(nibabel.Nifti1Image(voxels, affine).to_bytes(), 1, mtime=0)
        parts.append((name, (f"{name}.nii.gz", content, "application/gzip")))
    return parts


@contextlib.contextmanager
def deployment(models_dir: Path, folder: Path) -> Iterator[tuple[str, dict[str, psutil.Process]]]:
    """Redis, the three model services, the gateway and one worker, each a process of its own."""
    ports = {role: free_port() for role in ("classifier", "segmenter", "metadata", "gateway", "worker")}
    urls = {role: f"http://127.0.0.1:{port}" for role, port in ports.items()}
    with _redis(folder) as (redis_url, redis):
        shared = {
            "GATEWAY_REDIS_URL": redis_url,
            "GATEWAY_VIEW_URL": urls["classifier"],
            "GATEWAY_TUMOR_URL": urls["classifier"],
            "GATEWAY_SEGMENTER_URL": urls["segmenter"],
            "GATEWAY_METADATA_URL": urls["metadata"],
            "GATEWAY_JOBS__BLOB_DIR": str(folder / "blobs"),
        }
        modules = {
            "classifier": ("classifier_service", {}),
            "segmenter": ("segmenter_service", {}),
            "metadata": ("metadata_service", {}),
            "gateway": ("gateway", shared),
            "worker": ("gateway.worker", shared),
        }
        commands = {}
        for role, (module, environment) in modules.items():
            prefix = role.upper() if role not in {"gateway", "worker"} else "GATEWAY"
            own = {f"{prefix}_PORT": str(ports[role])}
            if prefix != "GATEWAY":
                own[f"{prefix}_INFERENCE__MODELS_DIR"] = str(models_dir)
            command = [sys.executable, "-m", module]
            commands[role] = (command, {**environment, **own}, f"{urls[role]}/health/ready")
        with running_processes(commands, folder) as roots:
            yield urls["gateway"], {**dict(zip(commands, roots, strict=True)), "redis": redis}


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    with asyncio.Runner() as runner:
        server = embedded_redis(folder)
        url = runner.run(_entered(server))
        try:
            (process,) = (child for child in psutil.Process().children() if "redis" in child.name())
            yield url, process
        finally:
            runner.run(_left(server))


async def _entered(server: contextlib.AbstractAsyncContextManager[str]) -> str:
    return await server.__aenter__()


async def _left(server: contextlib.AbstractAsyncContextManager[str]) -> None:
    await server.__aexit__(None, None, None)


def idle_share(processes: dict[str, psutil.Process]) -> dict[str, float]:
    """CPU seconds that each process uses in a second of doing nothing."""
    before = {name: _cpu_s(process) for name, process in processes.items()}
    started = time.perf_counter()
    time.sleep(_IDLE_S)
    seconds = time.perf_counter() - started
    return {name: (_cpu_s(process) - before[name]) / seconds for name, process in processes.items()}


def run(
    url: str, processes: dict[str, psutil.Process], parts: list[tuple[str, tuple[str, bytes, str]]]
) -> tuple[dict[str, Any], float, dict[str, float], dict[str, float]]:
    """Send the study and follow its events; its analysis, seconds, and each process' CPU and peak memory during it."""
    before = {name: _cpu_s(process) for name, process in processes.items()}
    for process in processes.values():
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")
    started = time.perf_counter()
    with httpx.Client(timeout=600, trust_env=False) as http:
        accepted = http.post(f"{url}/v1/analyses", files=parts, data={"options": json.dumps({"segment": "always"})})
        accepted.raise_for_status()
        location = url + accepted.headers["location"]
        with http.stream("GET", f"{location}/events") as events:
            events.raise_for_status()
            for _ in events.iter_raw():
                pass  # they end with the job
        analysis = http.get(location).json()
    seconds = time.perf_counter() - started
    if analysis["state"] != "succeeded" or analysis["problem"] is not None:
        raise RuntimeError(f"the analysis is {analysis['state']}: {analysis['problem']}")
    cpu_s = {name: _cpu_s(process) - before[name] for name, process in processes.items()}
    return analysis, seconds, cpu_s, {name: _peak_mb(process) for name, process in processes.items()}


def engine_cpu_s(models_dir: Path, volumes: dict[str, NDArray[np.int16]]) -> tuple[float, int]:
    """CPU seconds of onnxruntime alone on the tiles of this study, and how many there are."""
    manifest = ModelManifest.load(models_dir / _MODEL)
    assert manifest.volume is not None
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(str(models_dir / _MODEL / manifest.file), options)
    patch = manifest.volume.patch_voxels
    volume, present, _ = manifest.volume.apply(volumes, SEQUENCES, (1.0, 1.0, 1.0))
    corners = tile_corners((volume.shape[1], volume.shape[2], volume.shape[3]), patch, manifest.volume.step)
    tiles = [cut(volume, corner, patch)[None] for corner in corners]
    runs = len(tiles) * 2 ** len(manifest.volume.mirrored)
    session.run(None, {"volume": tiles[0], "present": present[None]})
    started = time.process_time()
    for number in range(runs):
        session.run(None, {"volume": tiles[number % len(tiles)], "present": present[None]})
    return time.process_time() - started, runs


def markdown(one: Measured) -> str:
    """The page."""
    total = sum(one.cpu_s.values())
    timings = one.analysis["timings_ms"]
    lines = [
        "# A volume through the services",
        "",
        "Written by `make bench-volume`: a made study of four sequences, 240 x 240 x 155 voxels, as `.nii.gz`, through",
        "gateway, worker and the model services, each a process of its own, on onnxruntime with one thread a run.",
        "",
        f"CPU of all processes {total:.1f} s, of onnxruntime alone on the same {one.tiles} tiles "
        f"{one.engine_cpu_s:.1f} s:",
        f"ratio **{total / one.engine_cpu_s:.2f}**. What the processes use without a study is not in it: "
        f"{one.idle_cpu_s:.2f} s in the same time.",
        f"From sending to the result {one.seconds:.1f} s.",
        "",
        "| stage | s |",
        "|---|---:|",
        *(f"| {name} | {value / 1e3:.2f} |" for name, value in timings.items() if value is not None),
        "",
        "| process | CPU s | peak MB |",
        "|---|---:|---:|",
        *(f"| {name} | {one.cpu_s[name]:.2f} | {one.peak_mb[name]:.0f} |" for name in one.cpu_s),
        "",
    ]
    return "\n".join(lines)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _peak_mb(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models-dir", type=Path, default=Path("models"))
    parser.add_argument("--output", type=Path, help="folder for volume.md and volume.json")
    asked = parser.parse_args()
    volumes = study()
    parts = files(volumes)
    with tempfile.TemporaryDirectory(prefix="neurogate-bench-") as name:
        with deployment(asked.models_dir.resolve(), Path(name)) as (url, processes):
            run(url, processes, parts)  # what is loaded and allocated once is not the study's
            idle = idle_share(processes)
            analysis, seconds, used_s, peak_mb = run(url, processes, parts)
        raw_s, tiles = engine_cpu_s(asked.models_dir, volumes)
    cpu_s = {name: max(0.0, used - idle[name] * seconds) for name, used in used_s.items()}
    measured = Measured(analysis, seconds, cpu_s, seconds * sum(idle.values()), peak_mb, raw_s, tiles)
    page = markdown(measured)
    sys.stdout.write(page)
    if asked.output is not None:
        asked.output.mkdir(parents=True, exist_ok=True)
        (asked.output / "volume.md").write_text(page)
        kept = {
            "seconds": seconds,
            "cpu_s": cpu_s,
            "idle_cpu_s": measured.idle_cpu_s,
            "peak_mb": peak_mb,
            "engine_cpu_s": raw_s,
            "tiles": tiles,
            "timings_ms": analysis["timings_ms"],
        }
        (asked.output / "volume.json").write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
