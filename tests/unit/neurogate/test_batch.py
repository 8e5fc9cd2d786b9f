"""`neurogate batch` against a small real server: resumed, retried, killed."""

import csv
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import Result

from neurogate.batch import Batch, Watcher
from neurogate.client import GatewayClient
from neurogate.journal import Journal
from neurogate.results_table import COLUMNS, ResultsTable
from neurogate.study_files import find_studies
from tests.unit.neurogate.made_gateway import MadeGateway, problem, served
from tests.unit.neurogate.test_analyze import command

COUNT = 6


@pytest.fixture
def made() -> Iterator[MadeGateway]:
    with served(MadeGateway()) as running:
        yield running


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for number in range(COUNT):
        folder = tmp_path / "archive" / f"case{number}"
        folder.mkdir(parents=True)
        for sequence in ("t1", "flair"):
            (folder / f"{sequence}.nii.gz").write_bytes(f"{sequence} {number}".encode())
    return tmp_path / "archive"


def batch(made: MadeGateway, cwd: Path, *more: str) -> Result:
    return command("batch", "archive", "--url", made.url, *more, cwd=cwd)


def rows(cwd: Path) -> list[dict[str, str]]:
    with (cwd / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def states(cwd: Path) -> dict[str, str]:
    found = rows(cwd)
    assert len({row["study"] for row in found}) == len(found)
    return {row["study"]: row["state"] for row in found}


def test_every_study_becomes_a_row(made: MadeGateway, archive: Path, tmp_path: Path) -> None:
    made.step_s = 0.1
    result = batch(made, tmp_path, "--concurrency", "3", "--segment", "--clinical", '{"age": 51}')
    assert result.exit_code == 0, result.stderr
    table = rows(tmp_path)
    assert sorted(row["study"] for row in table) == [f"case{number}" for number in range(COUNT)]
    row = table[0]
    assert tuple(row) == COLUMNS
    expected = {
        "state": "succeeded", "verdict": "answer", "view": "axial", "volume_ml": "20", "volume_ml_low": "19",
        "side": "left", "seconds": "20",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert row["labels_ml"] == "edema=15 enhancing_tumor=5"
    assert row["models"] == "segmentation=seg-brats:1"
    assert 1 < made.most_at_once <= 3
    assert len({sent.headers["idempotency-key"] for sent in made.sent}) == COUNT
    assert "6 succeeded" in result.stderr


def test_a_second_run_sends_nothing_and_a_changed_study_is_sent_again(
    made: MadeGateway, archive: Path, tmp_path: Path
) -> None:
    assert batch(made, tmp_path).exit_code == 0
    before = (tmp_path / "results.csv").read_text()
    again = batch(made, tmp_path)
    assert again.exit_code == 0
    assert len(made.sent) == COUNT
    assert f"{COUNT} were known" in again.stderr
    assert (tmp_path / "results.csv").read_text() == before
    (archive / "case0" / "t1.nii.gz").write_bytes(b"other content")
    assert batch(made, tmp_path).exit_code == 0
    assert len(made.sent) == COUNT + 1
    assert len(states(tmp_path)) == COUNT


def test_a_lost_journal_computes_nothing_twice(made: MadeGateway, archive: Path, tmp_path: Path) -> None:
    assert batch(made, tmp_path).exit_code == 0
    (tmp_path / "results.csv").unlink()
    (tmp_path / "results.csv.journal").unlink()
    assert batch(made, tmp_path).exit_code == 0
    assert made.executions == COUNT
    assert len(states(tmp_path)) == COUNT


def test_failures_are_rows_and_are_retried_when_asked(made: MadeGateway, archive: Path, tmp_path: Path) -> None:
    (archive / "case1" / "t2.nii.gz").write_bytes(b"t2")
    made.fail_fields = frozenset({"t2"})
    first = batch(made, tmp_path)
    assert first.exit_code == 1
    assert "without a result: 1 of the studies" in first.stderr
    (failed,) = [row for row in rows(tmp_path) if row["state"] == "failed"]
    assert failed["problem"] == "No: not a brain [422 not_brain_mri]"
    assert batch(made, tmp_path).exit_code == 1
    assert len(made.sent) == COUNT
    made.fail_fields = frozenset()
    assert batch(made, tmp_path, "--retry-failed").exit_code == 0
    assert len(made.sent) == COUNT + 1
    assert set(states(tmp_path).values()) == {"succeeded"}
    assert made.sent[-1].headers["idempotency-key"].endswith("-1")


def test_refusals_and_ambiguous_folders_are_rows(made: MadeGateway, archive: Path, tmp_path: Path) -> None:
    (archive / "case0" / "t1.copy.nii.gz").write_bytes(b"t1")
    made.answers = [problem(415, "unsupported_media_type", "send\nNIfTI")]
    result = batch(made, tmp_path, "--concurrency", "1")
    assert result.exit_code == 1
    refused = {row["study"]: row["problem"] for row in rows(tmp_path) if row["state"] == "refused"}
    assert "Several NIfTI files name the sequence t1" in refused["case0"]
    assert "No: send NIfTI [415 unsupported_media_type]" in refused.values()


def test_a_busy_gateway_is_waited_for(made: MadeGateway, archive: Path, tmp_path: Path) -> None:
    made.answers = [
        problem(429, "queue_full", "full", **{"Retry-After": "1"}),
        problem(503, "not_ready", "starting", **{"Retry-After": "0"}),
        problem(409, "request_in_progress", "wait", **{"Retry-After": "0"}),
    ]
    started = time.monotonic()
    result = batch(made, tmp_path, "--concurrency", "1")
    assert result.exit_code == 0, result.stderr
    assert time.monotonic() - started >= 1
    assert "asks for patience" in result.stderr
    assert len(states(tmp_path)) == COUNT


def test_a_gateway_that_stays_away_ends_the_run_and_a_wrong_key_too(
    made: MadeGateway, archive: Path, tmp_path: Path
) -> None:
    gone = command("batch", "archive", "--url", "http://127.0.0.1:9", "--away-limit-s", "0", cwd=tmp_path)
    assert gone.exit_code == 3
    assert "has been away" in gone.stderr
    made.answers = [problem(401, "unauthorized", "a key is needed") for _ in range(COUNT)]
    refused = batch(made, tmp_path)
    assert refused.exit_code == 1
    assert "a key is needed [401 unauthorized]" in refused.stderr
    made.answers = []
    assert batch(made, tmp_path).exit_code == 0
    assert len(states(tmp_path)) == COUNT


def test_tables_of_others_are_left_alone(made: MadeGateway, archive: Path, tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("mine\n")
    foreign = batch(made, tmp_path)
    assert foreign.exit_code == 1
    assert "without its journal" in foreign.stderr
    assert (tmp_path / "results.csv").read_text() == "mine\n"
    assert batch(made, tmp_path, "--out", "other.csv").exit_code == 0
    options = batch(made, tmp_path, "--out", "other.csv", "--segment")
    assert options.exit_code == 1
    assert "other options" in options.stderr
    held = sqlite3.connect(tmp_path / "other.csv.journal", isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    busy = batch(made, tmp_path, "--out", "other.csv")
    held.close()
    assert busy.exit_code == 1
    assert "in use by another batch" in busy.stderr


def start(made: MadeGateway, cwd: Path) -> subprocess.Popen[str]:
    # A test run in the background ignores SIGINT, and so would its children.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "neurogate", "batch", "archive"]
    return subprocess.Popen(
        [*command, "--url", made.url, "--concurrency", "2"],
        cwd=cwd,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_row(cwd: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if (cwd / "results.csv").exists() and len((cwd / "results.csv").read_text().splitlines()) > 1:
            return
        time.sleep(0.02)
    raise AssertionError("no row was written")


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_what_is_ended_goes_on_where_it_was(
    made: MadeGateway, archive: Path, tmp_path: Path, sign: signal.Signals
) -> None:
    made.step_s = 0.3
    process = start(made, tmp_path)
    wait_for_row(tmp_path)
    process.send_signal(sign)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (-sign if sign is signal.SIGKILL else 130), err
    assert "Traceback" not in err
    with (tmp_path / "results.csv").open("a") as file:
        file.write("case9,succee")  # as if a line had been cut in two
    made.step_s = 0.0
    result = batch(made, tmp_path)
    assert result.exit_code == 0, result.stderr
    assert states(tmp_path) == {f"case{number}": "succeeded" for number in range(COUNT)}
    assert made.executions == COUNT
    assert "canceled" not in {job["state"] for job in made.jobs.values()}


async def test_a_study_whose_connection_always_breaks_is_given_up_and_not_the_archive(
    archive: Path, tmp_path: Path
) -> None:
    def break_off(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset by peer", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(break_off), base_url="http://gateway") as http:
        journal, table = Journal(tmp_path / "j", "options"), ResultsTable(tmp_path / "t.csv")
        batch = Batch(GatewayClient(http), journal, table, {}, None, Watcher(), COUNT, 600.0)
        tally = await batch.run(find_studies(archive, Counter()))
        journal.close()
    assert tally.outcomes == {"refused": COUNT}
    assert "the connection broke 5 times" in (tmp_path / "t.csv").read_text()
