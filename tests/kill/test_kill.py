"""The small size of the kill test; `make kill-test` runs the full one."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(400)
def test_killed_processes_lose_and_double_nothing() -> None:
    small = ["--jobs", "12", "--workers", "2", "--kills", "4", "--pause", "1", "--limit", "240"]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.kill", *small],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
