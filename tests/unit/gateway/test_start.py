"""`python -m gateway` and `python -m gateway.worker`, as containers start them."""

import os
import subprocess
import sys

import pytest


def start(module: str = "gateway", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"GATEWAY_HOST": "0.0.0.0"}, "set GATEWAY_API_KEYS"),
        ({"GATEWAY_HOST": "0.0.0.0", "GATEWAY_API_KEYS": '["short"]'}, "16 characters"),
        ({"GATEWAY_PORT": "http"}, "GATEWAY_PORT"),
        ({"GATEWAY_RESULT_TTL_S": "1"}, "GATEWAY_RESULT_TTL_S"),
    ],
)
def test_wrong_settings_end_it_with_a_line_that_says_what_to_set(environment: dict[str, str], words: str) -> None:
    ended = start(**environment)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "short" not in ended.stderr


def test_the_worker_reads_the_same_settings() -> None:
    ended = start(
        "gateway.worker", GATEWAY_HOST="0.0.0.0", GATEWAY_JOBS__LEASE_S="60", GATEWAY_WEBHOOKS__SECRETS='["short"]'
    )
    assert ended.returncode == 2
    assert "GATEWAY_JOBS__LEASE_S" in ended.stderr
    assert "24 characters" in ended.stderr
    assert "GATEWAY_API_KEYS" not in ended.stderr
    assert "Traceback" not in ended.stderr
