"""What an operator counts on: keys, restarts, clean stops, an answer while a part is away."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.stack.conftest import OURS, Stack, docker

pytestmark = pytest.mark.stack
MODELS = Path(__file__).parents[2] / "models"

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "axial-glioma.png"


@pytest.fixture
def gateway(stack: Stack) -> Iterator[httpx.Client]:
    key = os.environ["GATEWAY_API_KEY"]
    with httpx.Client(
        base_url=os.environ["GATEWAY_URL"], headers={"Authorization": f"Bearer {key}"}, timeout=30
    ) as client:
        yield client


def analyze(gateway: httpx.Client) -> httpx.Response:
    return gateway.post("/v1/analyses", files={"file": (SAMPLE.name, SAMPLE.read_bytes(), "image/png")})


def await_that(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.25)


def is_ready(gateway: httpx.Client) -> bool:
    answer = gateway.get("/health/ready")
    return answer.status_code == httpx.codes.OK and all(answer.json()["checks"].values())


def test_no_answer_without_a_key(gateway: httpx.Client) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong-key-wrong-key"}):
        answer = httpx.get(f"{gateway.base_url}/v1/analyses", headers=headers)
        assert answer.status_code == httpx.codes.UNAUTHORIZED
        assert answer.headers["content-type"] == "application/problem+json"


def test_each_stage_runs_on_onnxruntime(gateway: httpx.Client) -> None:
    listing = gateway.get("/v1/models").raise_for_status().json()
    published = {path.parent.name for path in MODELS.glob("*/manifest.json")}
    assert {model["name"] for model in listing["models"]} == published
    assert {model["backend"] for model in listing["models"]} == {"onnxruntime"}


def test_models_show_their_cards(gateway: httpx.Client) -> None:
    for model in gateway.get("/v1/models").raise_for_status().json()["models"]:
        assert gateway.get(f"/v1/models/{model['name']}").raise_for_status().json()["card"]


def test_results_outlive_a_restart_of_redis(stack: Stack, gateway: httpx.Client) -> None:
    made = analyze(gateway)
    assert made.status_code == httpx.codes.CREATED, made.text
    path = f"/v1/analyses/{made.json()['id']}"
    docker("restart", "--time", "20", stack.container("redis"))
    await_that(lambda: is_ready(gateway), seconds=30)
    assert gateway.get(path).json() == made.json()
    assert gateway.get(f"{path}/overlay.png").content.startswith(b"\x89PNG")


def test_a_part_that_is_away_leaves_a_partial_answer(stack: Stack, gateway: httpx.Client) -> None:
    segmenter = stack.container("segmenter")
    docker("stop", "--time", "30", segmenter)
    try:
        assert json.loads(docker("inspect", segmenter))[0]["State"]["ExitCode"] == 0
        answer = analyze(gateway)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        analysis = answer.json()
        assert analysis["verdict"] == "review"
        assert "stage_unavailable" in {reason["code"] for reason in analysis["reasons"]}
        assert analysis["segmentation"] is None
    finally:
        docker("start", segmenter)
    await_that(lambda: is_ready(gateway), seconds=60)
    assert analyze(gateway).json()["segmentation"] is not None


@pytest.mark.parametrize("service", OURS)
def test_logs_are_json_lines_without_the_key(stack: Stack, service: str) -> None:
    lines = stack.logs(service).splitlines()
    assert lines
    for line in lines:
        assert isinstance(json.loads(line), dict)
        assert os.environ["GATEWAY_API_KEY"] not in line
