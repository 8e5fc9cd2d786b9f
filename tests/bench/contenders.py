"""The server processes under test: how each is started, asked, and how much CPU it has used."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.bench.work import Task

_START_TIMEOUT_S = 300.0


@dataclass(slots=True)
class Contender:
    """Running servers: where to post, with which fields, and the processes whose CPU counts."""

    name: str
    url: str
    fields: dict[Task, dict[str, str]]
    query: dict[Task, dict[str, str]]
    roots: list[psutil.Process] = field(default_factory=list)

    def cpu_s(self) -> float:
        """User and system seconds of all server processes so far, children (Redis) included."""
        total = 0.0
        for root in self.roots:
            for process in (root, *root.children(recursive=True)):
                times = process.cpu_times()
                total += times.user + times.system
        return total


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running_processes(
    commands: dict[str, tuple[list[str], dict[str, str], str]], folder: Path
) -> Iterator[list[psutil.Process]]:
    """Start each command with its environment and wait until its URL answers anything at all."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name, (command, environment, url) in commands.items():
            with (folder / f"{name}.log").open("wb") as log:
                started.append(
                    subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT)
                )
            _wait(url, started[-1], folder / f"{name}.log")
        yield [psutil.Process(process.pid) for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < give_up and process.poll() is None:
        try:
            httpx.get(url, timeout=2.0, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"a contender did not start:\n{log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def neurogate(models_dir: Path, folder: Path) -> Iterator[Contender]:
    """The product as `neurogate up` runs it: every service in one process, and a real Redis."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "neurogate", "up", "--port", str(port)]
    command += ["--data-dir", str(folder / "neurogate"), "--models-dir", str(models_dir)]
    fields: dict[Task, dict[str, str]] = {
        "classify": {"options": json.dumps({"segment": "never"})},
        "classify+segment": {"options": json.dumps({"segment": "always"})},
    }
    with running_processes({"neurogate": (command, {}, f"{url}/health/ready")}, folder) as roots:
        yield Contender("neurogate", f"{url}/v1/analyses", fields, {"classify": {}, "classify+segment": {}}, roots)


@contextlib.contextmanager
def naive_chain(models_dir: Path, folder: Path) -> Iterator[Contender]:
    """Synchronous FastAPI in three processes, JSON tensors in between."""
    ports = {role: free_port() for role in ("classifier", "segmenter", "gateway")}
    urls = {role: f"http://127.0.0.1:{port}" for role, port in ports.items()}
    shared = {
        "BENCH_MODELS": str(models_dir),
        "BENCH_CLASSIFIER": urls["classifier"],
        "BENCH_SEGMENTER": urls["segmenter"],
    }
    commands = {}
    for role, port in ports.items():
        command = [sys.executable, "-m", "uvicorn", "tests.bench.naive_chain:app", "--port", str(port)]
        commands[f"naive-{role}"] = ([*command, "--log-level", "warning"], {**shared, "BENCH_ROLE": role}, urls[role])
    with running_processes(commands, folder) as roots:
        yield _plain("naive chain", urls["gateway"], roots)


@contextlib.contextmanager
def flask_app(models_dir: Path, folder: Path) -> Iterator[Contender]:
    """One Flask process with the models in it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {"BENCH_MODELS": str(models_dir), "BENCH_PORT": str(port)}
    command = [sys.executable, "-m", "tests.bench.flask_app"]
    with running_processes({"flask": (command, environment, url)}, folder) as roots:
        yield _plain("Flask", url, roots)


def _plain(name: str, url: str, roots: list[psutil.Process]) -> Contender:
    query: dict[Task, dict[str, str]] = {"classify": {}, "classify+segment": {"segment": "true"}}
    return Contender(name, f"{url}/predict", {"classify": {}, "classify+segment": {}}, query, roots)
