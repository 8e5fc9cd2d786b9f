"""What was accepted outlives the server: volumes as jobs of a real `neurogate up`, ended and killed."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.made_heads import Heads, Parts
from tests.integration.test_command import IN_PLACE, serving

pytestmark = [IN_PLACE, pytest.mark.timeout(1200)]

Json = dict[str, Any]
WITHIN_S = 500.0
FREED_WITHIN_S = 2.0
SHARED_MACHINE = 2.0


class Jobs:
    """Sends volumes to a server that runs one job at a time, and watches them."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, parts: Parts) -> str:
        """The job's path."""
        options = {"options": json.dumps({"segment": "always"})}
        accepted = httpx.post(f"{self.url}/v1/analyses", files=parts, data=options, timeout=120)
        assert accepted.status_code == 202, accepted.text
        return str(accepted.headers["location"])

    def read(self, job: str) -> Json:
        """The analysis as it is."""
        analysis: Json = httpx.get(self.url + job, timeout=60).raise_for_status().json()
        return analysis

    def cancel(self, job: str) -> None:
        """End it."""
        canceled = httpx.post(f"{self.url}{job}/cancel", timeout=60).raise_for_status()
        assert canceled.json()["state"] == "canceled"

    def until(self, job: str, reached: Callable[[Json], bool]) -> Json:
        """The analysis, as soon as it is so."""
        give_up = time.monotonic() + WITHIN_S
        while not reached(analysis := self.read(job)):
            assert time.monotonic() < give_up, f"{job} is {analysis['state']} at {analysis['progress']}"
            time.sleep(0.1)
        return analysis

    def told(self, job: str) -> Iterator[tuple[float, Json]]:
        """Seconds since 1970 by Redis' clock, and each event, from the first."""
        with httpx.stream("GET", f"{self.url}{job}/events", timeout=WITHIN_S) as stream:
            moment = 0.0
            for line in stream.iter_lines():
                if line.startswith("id: "):
                    moment = int(line.removeprefix("id: ").partition("-")[0]) / 1000
                elif line.startswith("data: "):
                    yield moment, json.loads(line.removeprefix("data: "))


def outlining(analysis: Json) -> bool:
    """Tiles are done, and others are not."""
    progress = analysis["progress"]
    within: bool = progress["stage"] == "segmentation" and 0 < progress["done"] < progress["total"]
    return bool(analysis["state"] == "running" and within)


def ended(analysis: Json) -> bool:
    return analysis["state"] in {"succeeded", "failed", "canceled"}


def stopped(process: subprocess.Popen[str], number: signal.Signals) -> int:
    process.send_signal(number)
    return process.wait(timeout=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_volumes_outlive_the_server(number: signal.Signals, heads: Heads, tmp_path: Path) -> None:
    with serving(tmp_path, GATEWAY_JOBS__CONCURRENCY="1") as (url, process):
        jobs = Jobs(url)
        finished = jobs.send(heads.small)
        assert jobs.until(finished, ended)["state"] == "succeeded"
        mask = httpx.get(f"{url}{finished}/mask.nii.gz", timeout=60).content
        running, queued = jobs.send(heads.large), jobs.send(heads.small)
        jobs.until(running, outlining)
        assert stopped(process, number) == (0 if number == signal.SIGTERM else -signal.SIGKILL)

    with serving(tmp_path, GATEWAY_JOBS__CONCURRENCY="1") as (url, _):
        jobs = Jobs(url)
        assert jobs.read(finished)["state"] == "succeeded"
        assert httpx.get(f"{url}{finished}/mask.nii.gz", timeout=60).content == mask
        # Told to end, a server lets what runs go on for a moment: it may be finished by now. A killed one does not.
        assert {jobs.read(job)["state"] for job in (running, queued)} <= {"queued", "running", "succeeded"}
        for job in (running, queued):
            assert jobs.until(job, ended)["state"] == "succeeded"
            assert httpx.get(f"{url}{job}/overlay.png", timeout=60).is_success
        begun = sum(event["state"] == "running" and event["stage"] == "decode" for _, event in jobs.told(running))
        assert begun >= (2 if number == signal.SIGKILL else 1)
        kept = [path.name for path in (tmp_path / "state" / "blobs").rglob("*") if path.is_file()]
        assert kept.count("findings") == 3
        assert not [name for name in kept if name.startswith("upload-")]


def test_a_volume_that_is_canceled_midway_frees_its_worker(
    heads: Heads, tmp_path: Path, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path, GATEWAY_JOBS__CONCURRENCY="1") as (url, _):
        jobs = Jobs(url)
        running, queued = jobs.send(heads.large), jobs.send(heads.small)
        jobs.until(running, outlining)
        assert jobs.read(queued)["state"] == "queued"
        jobs.cancel(running)
        canceled_at = next(moment for moment, event in jobs.told(running) if event["state"] == "canceled")
        claimed_at = next(moment for moment, event in jobs.told(queued) if event["state"] == "running")
        freed_s = claimed_at - canceled_at
        record_property("freed_s", freed_s)
        with capsys.disabled():
            print(f"\nfrom cancel to the next job's start: {freed_s:.2f} s")
        assert freed_s < FREED_WITHIN_S * SHARED_MACHINE
        assert jobs.until(queued, ended)["state"] == "succeeded"
