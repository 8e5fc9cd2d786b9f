"""The whole product as `make run` starts it: one process, real models, real Redis, a port that was free."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.bench.contenders import free_port

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
_TIMEOUT_S = 100.0
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stack:
    """A running server and a client of its API, for what a test needs and does not look at."""

    url: str
    http: httpx.Client
    process: psutil.Process

    def analyzed(self, *names: str, **fields: Json) -> Json:
        """The finished analysis of sample files; several are a study's sequences, named as the files are.

        `fields` are the form's JSON fields, `clinical` and `options`.
        """
        paths = [SAMPLES / name for name in names]
        parts = [
            (path.name.split(".")[0] if len(paths) > 1 else "file", (path.name, path.read_bytes())) for path in paths
        ]
        return self.sent(parts, **fields)

    def sent(self, parts: list[tuple[str, tuple[str, bytes]]], **fields: Json) -> Json:
        """The finished analysis of a form's files, waited for by its event stream."""
        form = {name: json.dumps(field) for name, field in fields.items()}
        answer = self.http.post("/v1/analyses", files=parts, data=form)
        assert answer.is_success, answer.text
        where = answer.headers["location"]
        if answer.status_code == httpx.codes.ACCEPTED:
            self.http.get(f"{where}/events").raise_for_status()
        analysis: Json = self.http.get(where).raise_for_status().json()
        return analysis

    def redis_socket(self) -> Path:
        """Where the server's Redis listens."""
        (redis,) = self.process.children()
        return next(Path(str(at.laddr)) for at in redis.net_connections("unix") if str(at.laddr).endswith(".sock"))


@contextlib.contextmanager
def running_stack(folder: Path, **environment: str) -> Iterator[Stack]:
    """`neurogate up` with its state in `folder`, ended when the context is left."""
    arguments = ["--port", str(free_port()), "--data-dir", str(folder / "state")]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "neurogate", "up", "--models-dir", str(ROOT / "models"), *arguments],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert server.stdout is not None
    try:
        url = next(line.split()[1] for line in server.stdout if line.startswith("ready "))
        with httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False) as http:
            yield Stack(url, http, psutil.Process(server.pid))
    finally:
        server.terminate()
        server.wait(timeout=30)
        server.stdout.close()
