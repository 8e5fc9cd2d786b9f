"""`neurogate up`: serve the stack until told to stop, in the foreground or detached."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import httpx
import uvicorn

from neurogate.embedded_redis import embedded_redis
from neurogate.stack import open_stack
from service_kit.logs import configure_logging
from service_kit.settings import LogLevel

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0
_LOCK_TRIES = 10


class ServerNotStarted(RuntimeError):
    """The server did not come up; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where to listen, where to keep what must last, which models to serve."""

    host: str
    port: int
    data_dir: Path
    models_dir: Path
    api_keys: tuple[str, ...] = ()
    log_level: LogLevel = "info"

    @property
    def url(self) -> str:
        """The address to open; a wildcard host is reached on loopback."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def state_file(self) -> Path:
        """Where a running server says that it runs."""
        return self.data_dir / "server.json"


class _Announcing(uvicorn.Server):
    """Uvicorn's server that says when it listens."""

    def __init__(self, config: uvicorn.Config, options: Options) -> None:
        super().__init__(config)
        self._options = options

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"ready {self._options.url}", flush=True)  # noqa: T201 - the promise of `neurogate up`


async def serve(options: Options) -> None:
    """Run until SIGTERM or SIGINT; everything that was started is stopped again.

    Raises:
        ServerNotStarted: when the port is taken or the data folder is in use by another server.
    """
    options.data_dir.mkdir(parents=True, exist_ok=True)
    listening = _bind(options)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(listening)
        stack.enter_context(_claimed(options))
        redis_url = await stack.enter_async_context(embedded_redis(options.data_dir))
        app = await stack.enter_async_context(
            open_stack(
                models_dir=options.models_dir,
                redis_url=redis_url,
                data_dir=options.data_dir,
                host=options.host,
                port=options.port,
                api_keys=options.api_keys,
            )
        )
        # Uvicorn raises the signal again when it has shut down; there is more to shut down after it.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=15,
        )
        await _Announcing(config, options).serve(sockets=[listening])


def _bind(options: Options) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((options.host, options.port))
    except OSError as error:
        listening.close()
        raise ServerNotStarted(
            f"{options.host}:{options.port} cannot be used ({error.strerror}): choose another port with --port"
        ) from error
    listening.set_inheritable(True)
    return listening


@contextlib.contextmanager
def _claimed(options: Options) -> Iterator[None]:
    """Hold the data folder: two servers on one append-only file would ruin it. The lock ends with the process."""
    with options.state_file.open("a+", encoding="utf-8") as note:
        if not _locked(note):
            where = (read_state(options) or {}).get("url", "another address")
            raise ServerNotStarted(f"{options.data_dir} is in use by a server at {where}: neurogate down ends it")
        note.truncate(0)
        note.write(json.dumps({"pid": os.getpid(), "url": options.url}))
        note.flush()
        try:
            yield
        finally:
            options.state_file.unlink(missing_ok=True)


def _locked(note: TextIO) -> bool:
    """Whether the lock was had; a few tries, as `read_state` elsewhere holds it for a moment."""
    for _ in range(_LOCK_TRIES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.02)
    return False


def read_state(options: Options) -> dict[str, object] | None:
    """What runs on this data folder: `{"pid", "url"}`, or None. The note of a server that died counts as none."""
    try:
        with options.state_file.open("r", encoding="utf-8") as note:
            try:
                fcntl.flock(note, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                state: dict[str, object] = json.load(note)
                return state
    except (FileNotFoundError, ValueError):  # none, or one that is being written just now
        return None
    return None


def start_detached(options: Options, arguments: Sequence[str]) -> str:
    """Start `neurogate up` with `arguments` in the background and wait until it is ready; returns its URL.

    A server that already runs on this data folder is used as it is.

    Raises:
        ServerNotStarted: with the log's last lines.
    """
    running = read_state(options)
    if running is not None:
        return str(running["url"])
    options.data_dir.mkdir(parents=True, exist_ok=True)
    log_path = options.data_dir / "server.log"
    with log_path.open("wb") as log:
        server = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            [sys.executable, "-m", "neurogate", "up", *arguments],
            # By the environment: a command line can be read by everybody on the machine.
            env={**os.environ, "NEUROGATE_API_KEYS": " ".join(options.api_keys)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    give_up = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < give_up and server.poll() is None:
        state = read_state(options)
        if state is not None and state["pid"] == server.pid and _answers(options.url):
            return options.url
        time.sleep(0.1)
    if server.poll() is None:
        server.terminate()
    tail = "\n".join(log_path.read_text(errors="replace").splitlines()[-8:])
    raise ServerNotStarted(f"the server did not start; the end of {log_path}:\n{tail}")


def stop_detached(options: Options) -> bool:
    """End the server on this data folder; False when none runs.

    Raises:
        TimeoutError: when it does not end in time.
    """
    running = read_state(options)
    if running is None:
        return False
    os.kill(int(str(running["pid"])), signal.SIGTERM)
    give_up = time.monotonic() + _STOP_TIMEOUT_S
    while time.monotonic() < give_up:
        if read_state(options) is None:
            return True
        time.sleep(0.1)
    raise TimeoutError(f"the server (process {running['pid']}) did not end within {_STOP_TIMEOUT_S:.0f} s")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def run(options: Options) -> None:
    """`serve` as a blocking call, on the event loop that uvicorn prefers (uvloop where it is installed)."""
    configure_logging(options.log_level)
    preferred = uvicorn.Config(None, log_config=None)  # type: ignore[arg-type]
    with asyncio.Runner(loop_factory=preferred.get_loop_factory()) as runner:
        runner.run(serve(options))
