"""`python -m <service>` as a real program: it starts, answers, and ends when told to."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from service_kit.testing import tiny_repository

SERVICES = (("classifier_service", "CLASSIFIER"), ("segmenter_service", "SEGMENTER"), ("metadata_service", "METADATA"))


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_repository(tmp_path_factory.mktemp("models"))


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def start(module: str, **variables: str) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(tuple(p for _, p in SERVICES))}
    return subprocess.Popen([sys.executable, "-m", module], env={**clean, **variables}, stderr=subprocess.PIPE)


def wait_until_ready(url: str, program: subprocess.Popen[bytes]) -> httpx.Response:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up and program.poll() is None:
        try:
            return httpx.get(f"{url}/health/ready", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the service did not start")


@pytest.mark.parametrize(("module", "prefix"), SERVICES)
def test_a_service_starts_answers_and_ends_on_sigterm(module: str, prefix: str, models_dir: Path, port: int) -> None:
    variables = {f"{prefix}_PORT": str(port), f"{prefix}_INFERENCE__MODELS_DIR": str(models_dir)}
    program = start(module, **variables)
    try:
        ready = wait_until_ready(f"http://127.0.0.1:{port}", program)
        assert ready.status_code == 200, ready.text
        program.send_signal(signal.SIGTERM)
        _, log = program.communicate(timeout=30)
    finally:
        program.kill()
    assert program.returncode in {0, -signal.SIGTERM}
    assert b"Traceback" not in log
    assert b"shutdown complete" in log


@pytest.mark.parametrize(("module", "prefix"), SERVICES)
def test_wrong_settings_are_all_named(module: str, prefix: str) -> None:
    program = start(module, **{f"{prefix}_PORT": "high", f"{prefix}_LOG_LEVEL": "loud"})
    _, log = program.communicate(timeout=30)
    assert program.returncode == 2
    assert f"{prefix}_PORT".encode() in log
    assert f"{prefix}_LOG_LEVEL".encode() in log
    assert b"Traceback" not in log


@pytest.mark.parametrize(("module", "prefix"), SERVICES)
def test_without_models_the_reason_is_said(module: str, prefix: str, tmp_path: Path) -> None:
    program = start(module, **{f"{prefix}_INFERENCE__MODELS_DIR": str(tmp_path / "none")})
    _, log = program.communicate(timeout=30)
    assert program.returncode == 1
    assert b"cannot start: " in log
    assert b"no such folder" in log
    assert b"Traceback" not in log
