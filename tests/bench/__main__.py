"""`make bench`: for each task and number of clients, raw engine and contenders by turns, as CPU ratios.

ratio = CPU of decode + onnxruntime without a server / CPU of all server processes, for the same requests in the same
run. 1.0 would be a server that costs nothing. Ratios hold on a noisy machine; the milliseconds beside them less so.
"""

import argparse
import asyncio
import contextlib
import json
import platform
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from rich.progress import track

from neurogate.models_dir import find_models_dir
from tests.bench import contenders
from tests.bench.contenders import Contender
from tests.bench.work import TASKS, Engine, Task, measure_raw, sample_jpeg

_CLIENTS = (1, 8, 32)


@dataclass(frozen=True, slots=True)
class Row:
    """Medians over the rounds of one task, one number of clients, one contender."""

    task: Task
    clients: int
    contender: str
    raw_ms: float
    raw_with_preprocessing_ms: float
    server_ms: float
    ratio: float
    ratio_with_preprocessing: float
    p50_ms: float


async def _load(contender: Contender, jpeg: bytes, task: Task, clients: int, requests: int) -> list[float]:
    """`requests` posts from `clients` closed loops; returns each answer's seconds."""
    loop = asyncio.get_running_loop()
    seconds: list[float] = []
    left = iter(range(requests))

    async def client(http: httpx.AsyncClient) -> None:
        for _ in left:
            started = loop.time()
            files = {"file": ("slice.jpg", jpeg, "image/jpeg")}
            query, fields = contender.query[task], contender.fields[task]
            answer = await http.post(contender.url, files=files, data=fields, params=query)
            answer.raise_for_status()
            seconds.append(loop.time() - started)

    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(timeout=120, trust_env=False, limits=limits) as http:
        await asyncio.gather(*(client(http) for _ in range(clients)))
    return seconds


def _measure(engine: Engine, contender: Contender, jpeg: bytes, rounds: int, requests: int) -> Iterator[Row]:
    for task in TASKS:
        for clients in _CLIENTS:
            asyncio.run(_load(contender, jpeg, task, clients, max(clients, 8)))
            raw, prepared, server, latencies = [], [], [], []
            for _ in range(rounds):
                cost = measure_raw(engine, jpeg, task, requests // 2)
                before = contender.cpu_s()
                latencies += asyncio.run(_load(contender, jpeg, task, clients, requests))
                raw.append(cost.engine_s * 1e3)
                prepared.append(cost.with_preprocessing_s * 1e3)
                server.append((contender.cpu_s() - before) / requests * 1e3)
            yield Row(
                task,
                clients,
                contender.name,
                round(statistics.median(raw), 2),
                round(statistics.median(prepared), 2),
                round(statistics.median(server), 2),
                round(statistics.median(a / b for a, b in zip(raw, server, strict=True)), 3),
                round(statistics.median(a / b for a, b in zip(prepared, server, strict=True)), 3),
                round(statistics.median(latencies) * 1e3, 1),
            )


def _markdown(rows: list[Row], rounds: int, requests: int) -> str:
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. One 512 x 512 JPEG a request. **Ratio** = CPU of the decoder and onnxruntime alone /",
        "CPU of all server processes (Redis included) for the same work, by turns in one run; 1.0 would be a server",
        "that costs nothing. The second ratio counts the resize to the models' inputs as raw work too. Milliseconds",
        f"are CPU a request on a shared machine; medians of {rounds} rounds of {requests} requests.",
        "",
        "| task | clients | stack | raw ms | server ms | ratio | ratio with resize | p50 latency ms |",
        "|---|---:|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r.task} | {r.clients} | {r.contender} | {r.raw_ms:.1f} | {r.server_ms:.1f} | **{r.ratio:.2f}** "
        f"| {r.ratio_with_preprocessing:.2f} | {r.p50_ms:.0f} |"
        for r in sorted(rows, key=lambda row: (row.task, row.clients))
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Run every contender and write `benchmarks.json` and `README.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--sample", type=Path, default=Path("samples/axial-glioma.png"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=40)
    arguments = parser.parse_args()
    models_dir, jpeg = find_models_dir(), sample_jpeg(arguments.sample)
    engine = Engine(models_dir)
    rows: list[Row] = []
    openers = (contenders.neurogate, contenders.flask_app, contenders.naive_chain)
    for open_contender in track(openers, description="contenders"):
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="neurogate-bench-")))
            contender = stack.enter_context(open_contender(models_dir, folder))
            rows += _measure(engine, contender, jpeg, arguments.rounds, arguments.requests)
    text = _markdown(rows, arguments.rounds, arguments.requests)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "README.md").write_text(text, encoding="utf-8")
    report = {"machine": platform.processor() or platform.machine(), "rows": [asdict(row) for row in rows]}
    (arguments.output / "benchmarks.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
