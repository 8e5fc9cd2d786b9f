"""The command `neurogate`, as a person runs it: real processes, real models, real Redis."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.bench.contenders import free_port

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "axial-glioma.png"

IN_PLACE = pytest.mark.skipif(
    "GATEWAY_URL" in os.environ, reason="the command is tested in place, not against a deployed gateway"
)
pytestmark = IN_PLACE


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neurogate", *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with serving(tmp_path) as started:
        yield started


@contextlib.contextmanager
def serving(tmp_path: Path, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "neurogate", "up", "--port", str(port), "--data-dir", "state"],
        cwd=tmp_path,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = next(line for line in process.stdout if line.startswith("ready "))
        yield line.split()[1], process
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def test_up_announces_itself_and_stops_cleanly(server: tuple[str, subprocess.Popen[str]], tmp_path: Path) -> None:
    url, process = server
    assert httpx.get(f"{url}/health/ready").is_success
    second = command("up", "--port", str(free_port()), "--data-dir", "state", cwd=tmp_path)
    assert second.returncode == 1
    assert "in use by a server" in second.stderr
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert not (tmp_path / "state" / "server.json").exists()


def test_a_killed_server_leaves_no_redis_behind(server: tuple[str, subprocess.Popen[str]], tmp_path: Path) -> None:
    _, process = server
    (redis,) = psutil.Process(process.pid).children()
    assert "redis" in redis.name()
    process.kill()
    redis.wait(timeout=10)
    again = command("up", "--detach", "--port", str(free_port()), "--data-dir", "state", cwd=tmp_path)
    assert again.stdout.startswith("ready "), again.stderr
    assert command("down", "--data-dir", "state", cwd=tmp_path).stdout.strip() == "stopped"


@pytest.mark.timeout(240)
def test_finished_and_queued_jobs_survive_a_restart(tmp_path: Path) -> None:
    later = {"Prefer": "respond-async"}
    # This one's worker looks once and then sleeps: what is sent now stays queued.
    with serving(tmp_path, GATEWAY_JOBS__POLL_S="600") as (url, _):
        scan = {"file": SAMPLE.read_bytes()}
        finished = httpx.post(f"{url}/v1/analyses", files=scan, timeout=60).headers["location"]
        queued = httpx.post(f"{url}/v1/analyses", files=scan, headers=later).headers["location"]
        assert httpx.get(url + queued).json()["state"] == "queued"
    with serving(tmp_path) as (url, process):
        assert httpx.get(url + finished).json()["state"] == "succeeded"
        told = httpx.get(f"{url}{queued}/events", timeout=60).text
        assert '"state": "succeeded"' in told
        assert httpx.get(f"{url}{queued}/overlay.png", timeout=60).is_success
        process.kill()
        process.wait(timeout=30)
    with serving(tmp_path) as (url, _):
        states = [analysis["state"] for analysis in httpx.get(f"{url}/v1/analyses").json()["analyses"]]
    assert states == ["succeeded", "succeeded"]


def test_a_taken_port_is_said_in_one_line(server: tuple[str, subprocess.Popen[str]], tmp_path: Path) -> None:
    port = server[0].rsplit(":", 1)[1]
    refused = command("up", "--port", port, "--data-dir", "other", cwd=tmp_path)
    assert refused.returncode == 1
    assert "choose another port" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_any_address_needs_a_key(tmp_path: Path) -> None:
    refused = command("up", "--host", "0.0.0.0", "--port", str(free_port()), "--data-dir", "s", cwd=tmp_path)
    assert refused.returncode != 0
    assert "api" in refused.stderr.lower()
    assert "Traceback" not in refused.stderr


def test_analyze_through_a_server_writes_every_artifact(
    server: tuple[str, subprocess.Popen[str]], tmp_path: Path
) -> None:
    result = command("analyze", str(SAMPLE), "--url", server[0], "--out", "out", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "glioma" in result.stdout
    assert "Not a medical device" in result.stdout
    folder = tmp_path / "out" / SAMPLE.stem
    names = {path.name for path in folder.iterdir()}
    assert {"analysis.json", "input.png", "mask.png", "overlay.png", "heatmap.png", "report.html"} <= names
    assert json.loads((folder / "analysis.json").read_text())["view"]["label"] == "axial"


def test_analyze_without_a_server_takes_several_files_and_says_which_failed(tmp_path: Path) -> None:
    (tmp_path / "note.png").write_text("not a picture")
    result = command("analyze", str(SAMPLE), "note.png", "--clinical", '{"age": 51}', cwd=tmp_path)
    assert result.returncode == 1
    assert "note.png" in result.stderr
    assert "1 of 2 studies" in result.stderr
    assert "glioma" in result.stdout


def test_models_lists_all_five(tmp_path: Path) -> None:
    result = command("models", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    for name in ("view", "tumor", "seg-t1", "seg-flair-film", "clinical", "CPUExecutionProvider"):
        assert name in result.stdout


def test_detached_server_is_found_and_ended(tmp_path: Path) -> None:
    port = str(free_port())
    started = command("up", "--detach", "--port", port, "--data-dir", "state", cwd=tmp_path)
    try:
        assert started.stdout.strip() == f"ready http://127.0.0.1:{port}", started.stderr
        again = command("up", "--detach", "--port", port, "--data-dir", "state", cwd=tmp_path)
        assert again.stdout == started.stdout
    finally:
        ended = command("down", "--data-dir", "state", cwd=tmp_path)
    assert ended.stdout.strip() == "stopped"
    assert command("down", "--data-dir", "state", cwd=tmp_path).stdout.strip() == "nothing runs here"
