"""`neurogate analyze` and `neurogate compare` against a small real server, as a person runs them."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.analysis_id import new_analysis_id
from neurogate.cli import app
from tests.unit.neurogate.made_gateway import MadeGateway, problem, served


@pytest.fixture
def made() -> Iterator[MadeGateway]:
    with served(MadeGateway()) as running:
        yield running


def start(*arguments: str, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        # A test run in the background ignores SIGINT, and so would its children.
        ["env", "--default-signal=INT", sys.executable, "-m", "neurogate", *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "140", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def command(*arguments: str, cwd: Path) -> Result:
    """In this process, as starting one takes long; what signals do is seen in one of its own."""
    with contextlib.chdir(cwd):
        return CliRunner().invoke(app, arguments)


def scans(folder: Path, *names: str) -> list[str]:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0" * 128 + b"DICM" + name.encode())
    return [str(folder / name) for name in names]


def test_files_named_by_sequence_are_one_study_watched_and_shown(made: MadeGateway, tmp_path: Path) -> None:
    files = scans(tmp_path, "p1_flair.nii.gz", "p1_t1ce.nii.gz", "p1_seg.nii.gz")
    made.step_s = 0.1
    result = command("analyze", *files, "--segment", "--model", "segmentation=seg-3d", "--clinical", '{"age": 51}',
                     "--url", made.url, "--api-key", "secret-secret-secret", cwd=tmp_path)  # fmt: skip
    assert result.exit_code == 0, result.stderr
    (sent,) = made.sent
    assert sorted(name for name, _, _ in sent.files) == ["flair", "t1ce"]
    assert {filename for _, filename, _ in sent.files} == {"flair.nii.gz", "t1ce.nii.gz"}
    assert json.loads(sent.fields["options"]) == {"segment": "always", "models": {"segmentation": "seg-3d"}}
    assert json.loads(sent.fields["clinical"]) == {"age": 51}
    assert sent.headers["prefer"] == "respond-async"
    assert sent.headers["authorization"] == "Bearer secret-secret-secret"
    told = re.findall(r"segmentation (\d)/3", result.stderr)
    assert told
    assert told == sorted(told)
    assert "left out: 1 files labels" in result.stderr
    for words in ("20.0 (19.0 to 21.0, 90%) ml", "edema", "15.0 ml", "30.0 (29.5 to 30.5, 90%) mm", "left", "20.0 s"):
        assert words in result.stdout


def test_sequences_can_be_named_by_option(made: MadeGateway, tmp_path: Path) -> None:
    files = scans(tmp_path, "a.nii", "b.nii.gz")
    result = command("analyze", "--t1", files[0], "--flair", files[1], "--url", made.url, cwd=tmp_path)
    assert result.exit_code == 0, result.stderr
    assert [name for name, _, _ in made.sent[0].files] == ["t1", "flair"]
    both = command("analyze", files[0], "--t1", files[1], "--url", made.url, cwd=tmp_path)
    assert both.exit_code == 2
    assert "not both" in both.stderr


def test_a_folder_of_dicom_is_sent_as_one_zip(made: MadeGateway, tmp_path: Path) -> None:
    scans(tmp_path, *(f"study/series/Doe^Jane{number:02}" for number in range(12)))
    result = command("analyze", "study", "--url", made.url, cwd=tmp_path)
    assert result.exit_code == 0, result.stderr
    ((name, filename, _),) = made.sent[0].files
    assert (name, filename) == ("file", "file.zip")


def test_save_downloads_what_links_name(made: MadeGateway, tmp_path: Path) -> None:
    (file,) = scans(tmp_path, "x_flair.nii.gz")
    result = command("analyze", file, "--save", "out", "--url", made.url, cwd=tmp_path)
    assert result.exit_code == 0, result.stderr
    assert "x_flair.nii.gz: fetching its files" in result.stderr
    folder = tmp_path / "out" / "x_flair"
    assert {path.name for path in folder.iterdir()} == {"analysis.json", "mask.nii.gz"}
    analysis_id = json.loads((folder / "analysis.json").read_text())["id"]
    assert (folder / "mask.nii.gz").read_bytes() == b"mask of " + analysis_id.encode()


def test_no_wait_prints_the_id_and_leaves(made: MadeGateway, tmp_path: Path) -> None:
    made.step_s = 60
    (file,) = scans(tmp_path, "x_flair.nii.gz")
    result = command("analyze", file, "--no-wait", "--url", made.url, cwd=tmp_path)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.split()[0] in made.jobs
    refused = command("analyze", file, "--no-wait", cwd=tmp_path)
    assert refused.exit_code == 2


def test_a_cut_stream_is_resumed_and_without_streams_the_job_is_asked_for(made: MadeGateway, tmp_path: Path) -> None:
    made.step_s, made.cut_streams = 0.2, 1
    (file,) = scans(tmp_path, "x_flair.nii.gz")
    assert command("analyze", file, "--url", made.url, cwd=tmp_path).exit_code == 0
    assert made.resumed_from
    made.refuse_streams = True
    result = command("analyze", file, "--url", made.url, cwd=tmp_path)
    assert result.exit_code == 0, result.stderr
    assert "20.0 (19.0 to 21.0, 90%) ml" in result.stdout


def test_what_failed_is_told_in_words_and_the_others_are_answered(made: MadeGateway, tmp_path: Path) -> None:
    made.fail_fields = frozenset({"t2"})
    scans(tmp_path, "a/t2.nii.gz", "b/flair.nii.gz")
    result = command("analyze", "a", "b", "--url", made.url, cwd=tmp_path)
    assert result.exit_code == 1
    assert "a/t2.nii.gz: No: not a brain [422 not_brain_mri]" in result.stderr
    assert "1 of 2 studies got no answer" in result.stderr
    assert "20.0 (19.0 to 21.0, 90%) ml" in result.stdout
    made.answers = [problem(415, "unsupported_media_type", "send NIfTI")]
    refused = command("analyze", "b", "--url", made.url, cwd=tmp_path)
    assert refused.exit_code == 1
    assert "send NIfTI [415 unsupported_media_type]" in refused.stderr


def test_ctrl_c_cancels_the_job_on_the_server(made: MadeGateway, tmp_path: Path) -> None:
    made.step_s = 60
    (file,) = scans(tmp_path, "x_flair.nii.gz")
    process = start("analyze", file, "--url", made.url, cwd=tmp_path)
    assert process.stderr is not None
    for line in process.stderr:
        if "segmentation" in line:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "canceled" in err
    assert "Traceback" not in err
    assert [job["state"] for job in made.jobs.values()] == ["canceled"]


def test_no_gateway_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    (file,) = scans(tmp_path, "x_flair.nii.gz")
    result = command("analyze", file, "--url", "http://127.0.0.1:9", cwd=tmp_path)
    assert result.exit_code == 3
    assert "cannot be reached" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "seg-3d"), "STAGE=NAME"),
        (("--clinical", "no such file"), "neither JSON nor a file"),
        (("--options", "[1]"), "neither JSON"),
    ],
)
def test_arguments_that_cannot_be_followed(arguments: tuple[str, str], words: str, tmp_path: Path) -> None:
    (file,) = scans(tmp_path, "x.png")
    result = command("analyze", file, *arguments, "--url", "http://127.0.0.1:9", cwd=tmp_path)
    assert result.exit_code == 2
    assert words in re.sub(r"[\s│]+", " ", result.stderr)


def test_a_folder_without_scans_is_said(made: MadeGateway, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("x")
    result = command("analyze", "empty", "--url", made.url, cwd=tmp_path)
    assert result.exit_code == 1
    assert "there is no scan" in result.stderr
    assert "1 files of no known kind" in result.stderr


def test_compare_prints_changes_category_and_statement(made: MadeGateway, tmp_path: Path) -> None:
    first, second = new_analysis_id(), new_analysis_id()
    made.jobs |= {first: {}, second: {}}
    result = command("compare", first, second, "--url", made.url, cwd=tmp_path)
    assert result.exit_code == 0, result.stderr
    text = re.sub(r"[\s│]+", " ", result.stdout)
    for words in ("+11.0", "progressive disease", "not a diagnosis", "corticosteroids", "yes", "+9.0 to +13.0"):
        assert words in text
    unknown = command("compare", first, new_analysis_id(), "--url", made.url, cwd=tmp_path)
    assert unknown.exit_code == 1
    assert "followup: there is no such analysis [404 not_found]" in unknown.stderr
