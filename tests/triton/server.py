"""A real tritonserver for tests: the one that `tests/triton/install.sh` made."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

_HERE = Path(__file__).resolve().parent
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0


def is_installed() -> bool:
    """Whether install.sh has been run."""
    return any((_HERE.parents[1] / ".cache" / "triton-venv").glob(".ready-*"))


class TritonServer:
    """One server on a model repository, on free ports of loopback."""

    def __init__(self, repository: Path, log_path: Path) -> None:
        self._repository = repository
        self._log_path = log_path
        self._ports = [str(port) for port in _free_ports(3)]
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """`host:port` of the HTTP endpoint."""
        return f"127.0.0.1:{self._ports[0]}"

    def start(self) -> None:
        """Start and wait until every model is loaded or has failed to."""
        with self._log_path.open("ab") as log:
            self._running = subprocess.Popen(
                [
                    _HERE / "tritonserver.sh",
                    self._repository,
                    *self._ports,
                    "--strict-readiness=false",
                    "--exit-timeout-secs=5",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        give_up = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < give_up and self._running.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://{self.url}/v2/health/ready", timeout=2.0, trust_env=False).is_success:
                    return
            time.sleep(0.1)
        self.stop()
        tail = "\n".join(self._log_path.read_text(errors="replace").splitlines()[-30:])
        raise RuntimeError(f"tritonserver did not start:\n{tail}")

    def stop(self) -> None:
        """Stop the server and its model instances."""
        if self._running is None:
            return
        running, self._running = self._running, None
        if running.poll() is None:
            # The server alone: it waits long for an instance that another signal has ended.
            running.terminate()
        try:
            running.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


@contextlib.contextmanager
def running_server(repository: Path, log_path: Path) -> Iterator[TritonServer]:
    """A server that has started, and is stopped at the end."""
    server = TritonServer(repository, log_path)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for candidate in sockets:
            candidate.bind(("127.0.0.1", 0))
        return [candidate.getsockname()[1] for candidate in sockets]
