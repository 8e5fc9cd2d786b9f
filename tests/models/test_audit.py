"""A made set with planted faults: every one is found, and nothing else. A clean set passes."""

import csv
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

from model_export.audit.findings import AuditReport, Kind
from model_export.audit.merge import NearDuplicates
from model_export.cli import app

pytestmark = pytest.mark.torch

Row = tuple[str, str, str, str]
CLASSES = ("disk", "ring")


def made_picture(seed: int, size: tuple[int, int] = (96, 96)) -> NDArray[np.uint8]:
    """An ellipse of smooth random tissue on black; no two seeds look alike. `size` is height, width in px."""
    random = np.random.default_rng(seed)
    tissue = cv2.GaussianBlur(random.standard_normal((96, 96)).astype(np.float32), (0, 0), 3)
    tissue = 120 + 50 * tissue / float(tissue.std())
    mask = np.zeros((96, 96), np.uint8)
    axes = (int(random.integers(28, 36)), int(random.integers(36, 43)))
    cv2.ellipse(mask, (48, 48), axes, 0, 0, 360, 1, -1)
    picture = np.clip(tissue, 20, 255).astype(np.uint8) * mask
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def save(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(pixels)).save(path)


def clean_rows(folder: Path, sizes: dict[str, tuple[int, int]], count: int = 24) -> list[Row]:
    """`count` pictures a class, each its own group, a quarter of them for testing."""
    rows = []
    for position, name in enumerate(CLASSES):
        for number in range(count):
            file = f"{name}-{number}.png"
            save(folder / file, made_picture(1000 * position + number, sizes[name]))
            rows.append((file, name, f"{name}-p{number}", "test" if number % 4 == 0 else "train"))
    return rows


def write_index(folder: Path, rows: list[Row]) -> None:
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("image", "class", "patient", "side"), *rows])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    rows = clean_rows(folder, {"disk": (96, 96), "ring": (96, 120)})
    of = {row[0]: row for row in rows}

    def copy(source: str, name: str, pixels: NDArray[np.uint8], **changes: str) -> None:
        _, label, group, side = of[source]
        save(folder / name, pixels)
        rows.append((name, changes.get("label", label), changes.get("group", group), changes.get("side", side)))

    def pixels(source: str) -> NDArray[np.uint8]:
        return np.asarray(Image.open(folder / source), np.uint8)

    copy("disk-1.png", "exact.png", pixels("disk-1.png"))
    copy("disk-2.png", "mirrored.png", pixels("disk-2.png")[:, ::-1], group="elsewhere")
    copy("disk-3.png", "rotated.png", np.rot90(pixels("disk-3.png")), group="other", side="test")
    larger = cv2.resize(pixels("disk-5.png"), (131, 131), interpolation=cv2.INTER_CUBIC)
    packed = io.BytesIO()
    Image.fromarray(larger).save(packed, "JPEG", quality=60)
    (folder / "rescaled.jpg").write_bytes(packed.getvalue())
    rows.append(("rescaled.jpg", "disk", "another", "test"))
    brighter = np.clip(pixels("disk-6.png") * 1.3 + 5, 0, 255).astype(np.uint8)
    copy("disk-6.png", "mislabeled.png", brighter, label="ring")
    copy("disk-7.png", "leaking.png", made_picture(77), side="test")
    whole = (folder / "disk-9.png").read_bytes()
    (folder / "broken.png").write_bytes(whole[: len(whole) // 2])
    (folder / "no-picture.jpg").write_bytes(b"not a picture")
    rows.extend([("broken.png", "disk", "b1", "train"), ("no-picture.jpg", "disk", "b2", "train")])
    rows.append(("absent.png", "disk", "b3", "train"))
    save(folder / "black.png", np.zeros((96, 96), np.uint8))
    rows.append(("black.png", "disk", "b4", "train"))
    write_index(folder, rows)
    return folder


NAMED = ("--group", "patient", "--label", "class", "--split", "side")
FAULTS = {
    (Kind.CORRUPT, ("broken.png",)),
    (Kind.CORRUPT, ("no-picture.jpg",)),
    (Kind.CORRUPT, ("absent.png",)),
    (Kind.CONSTANT, ("black.png",)),
    (Kind.EXACT_DUPLICATE, ("disk-1.png", "exact.png")),
    (Kind.GROUPS, ("disk-2.png", "mirrored.png")),
    (Kind.SIDES, ("disk-3.png", "rotated.png")),
    (Kind.SIDES, ("disk-5.png", "rescaled.jpg")),
    (Kind.NEAR_DUPLICATE, ("disk-6.png", "mislabeled.png")),
    (Kind.LABEL_CONFLICT, ("disk-6.png", "mislabeled.png")),
    (Kind.GROUP_LEAK, ("disk-p7",)),
    (Kind.SHORTCUT, ("picture size",)),
}


@pytest.fixture(scope="module")
def audited(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("out")
    files = ("--pictures", out / "pairs", "--merged-groups", out / "merged.json", "--pairs", out / "near.json")
    return run(planted, *NAMED, "--out", out / "report", *files), out


def test_every_planted_fault_is_found_and_nothing_else(audited: tuple[Result, Path]) -> None:
    result, out = audited
    assert result.exit_code == 1, result.output
    report = AuditReport.model_validate_json((out / "report" / "audit.json").read_bytes())
    assert {(finding.kind, finding.keys) for finding in report.findings} == FAULTS
    assert len(report.findings) == len(FAULTS)
    assert report.unreadable == 3
    assert report.sides["test"] == 12 + 3
    assert "fails the audit" in result.output


def test_the_turn_of_a_copy_is_told(audited: tuple[Result, Path]) -> None:
    report = AuditReport.model_validate_json((audited[1] / "report" / "audit.json").read_bytes())
    turns = {pair.second: pair.turn for pair in report.pairs if not pair.upright}
    assert turns["mirrored.png"] == 1
    assert turns.get("rotated.png", 6) in {5, 6}


def test_the_page_holds_its_pictures_and_no_address(audited: tuple[Result, Path]) -> None:
    page = (audited[1] / "report" / "index.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 5
    assert "http" not in page
    assert "<script" not in page
    assert "disk-3.png, rotated.png" in page


def test_pairs_and_merged_groups_are_saved_for_the_training(audited: tuple[Result, Path]) -> None:
    _, out = audited
    assert len(list((out / "pairs").glob("*.png"))) == 5
    near = NearDuplicates.load(out / "near.json")
    assert ("disk-3.png", "rotated.png") in near.keys()  # noqa: SIM118 - no mapping
    merged = json.loads((out / "merged.json").read_bytes())["merged"]
    assert merged == [["another", "disk-p5"], ["disk-p2", "elsewhere"], ["disk-p3", "other"]]


def test_findings_can_be_accepted_by_kind_or_by_name(planted: Path) -> None:
    kinds = ("corrupt", "label-conflict", "duplicate-across-sides", "duplicate-across-groups:mirror*")
    accepted = [part for kind in (*kinds, "group-leak:disk-p7") for part in ("--allow", kind)]
    assert run(planted, *NAMED, *accepted).exit_code == 0
    assert run(planted, *NAMED, *accepted[:-1], "group-leak:disk-p8").exit_code == 1


def test_a_clean_set_of_class_folders_passes(tmp_path: Path) -> None:
    for position, name in enumerate(CLASSES):
        for number in range(24):
            side = "Testing" if number % 4 == 0 else "Training"
            save(tmp_path / "set" / side / name / f"{number}.png", made_picture(5000 + 100 * position + number))
    result = run(tmp_path / "set", "--out", tmp_path / "report")
    assert result.exit_code == 0, result.output
    report = AuditReport.model_validate_json((tmp_path / "report" / "audit.json").read_bytes())
    assert report.findings == []
    assert report.labels == {"disk": 24, "ring": 24}
    assert report.sides == {"train": 36, "test": 12}
    assert [probe.name for probe in report.probes][-1] == "shuffled labels"
    assert all(probe.accuracy.low <= probe.accuracy.value <= probe.accuracy.high for probe in report.probes)


def test_copies_on_both_sides_of_class_folders_are_a_leak(tmp_path: Path) -> None:
    save(tmp_path / "train" / "disk" / "a.png", made_picture(1))
    save(tmp_path / "train" / "disk" / "b.png", made_picture(2))
    save(tmp_path / "test" / "disk" / "c.png", made_picture(1)[::-1])
    result = run(tmp_path)
    assert result.exit_code == 1
    assert Kind.SIDES in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test", "train"]


def test_shuffled_labels_rise_above_chance_where_copies_lie_in_two_groups(tmp_path: Path) -> None:
    rows: list[Row] = []
    for number in range(30):
        picture, label = made_picture(7000 + number), CLASSES[number % 2]
        for copy, pixels in (("a", picture), ("b", np.clip(picture * 1.2, 0, 255).astype(np.uint8))):
            save(tmp_path / "set" / f"{number}{copy}.png", pixels)
            rows.append((f"{number}{copy}.png", label, f"{number}{copy}", "train"))
    write_index(tmp_path / "set", rows)
    result = run(tmp_path / "set", *NAMED, "--out", tmp_path / "out")
    report = AuditReport.model_validate_json((tmp_path / "out" / "audit.json").read_bytes())
    assert result.exit_code == 1
    assert report.counts() == {Kind.GROUPS: 30, Kind.SHORTCUT: 1}
    probes = {probe.name: probe for probe in report.probes}
    assert probes["shuffled labels"].flagged
    assert not probes["shuffled labels, groups merged"].flagged


def test_two_sets_are_compared_with_each_other(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(tmp_path / name / "train" / "disk" / "a.png", made_picture(3))
        save(tmp_path / name / "train" / "disk" / "b.png", made_picture(4 if name == "one" else 5))
    result = run(tmp_path / "one", tmp_path / "two", "--out", tmp_path / "out")
    assert result.exit_code == 0
    report = AuditReport.model_validate_json((tmp_path / "out" / "audit.json").read_bytes())
    assert [finding.keys for finding in report.findings] == [("one/train/disk/a.png", "two/train/disk/a.png")]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("absent",), "no such folder"),
        (("empty",), "no picture"),
        (("empty", "--index", "list.csv"), "list.csv"),
        (("plain", "--group", "patient"), "column"),
        (("indexed", "--group", "nobody"), "no column nobody"),
        (("nameless",), "no column of pictures"),
        (("indexed", "--allow", "everything"), "no kind"),
        (("indexed", "indexed"), "twice"),
        (("indexed", "--similarity", "3"), "similarity"),
        ((), "Missing"),
    ],
)
def test_bad_usage_exits_2_and_says_what_to_change(tmp_path: Path, arguments: tuple[str, ...], hint: str) -> None:
    (tmp_path / "empty").mkdir()
    save(tmp_path / "plain" / "a.png", made_picture(1))
    save(tmp_path / "indexed" / "a.png", made_picture(1))
    write_index(tmp_path / "indexed", [("a.png", "disk", "p1", "train")])
    (tmp_path / "nameless").mkdir()
    (tmp_path / "nameless" / "index.csv").write_text("what,why\na,b\n", encoding="utf-8")
    folders = {"absent", "empty", "plain", "indexed", "nameless"}
    result = run(*(tmp_path / a if a in folders else a for a in arguments))
    assert result.exit_code == 2
    assert hint.replace(" ", "") in "".join(result.output.replace("│", "").split())
