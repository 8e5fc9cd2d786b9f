"""The generated pages of the models: what they say, and that a stale one is found. Needs no PyTorch."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model_export.cli import app
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.zoo import ZooResult, ZooRow, trade_off
from model_export.pages.writer import model_pages
from service_kit.errors import ModelInvalid
from service_kit.inference.manifest import (
    Calibration,
    ModelManifest,
    Novelty,
    Postprocessing,
    TensorSpec,
    Training,
    sha256_of,
)
from service_kit.inference.preprocessing import Preprocessing
from tests.models.made_cards import made_card


def _publish(models: Path, name: str, *, card: bool = True) -> None:
    folder = models / name
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.onnx").write_bytes(b"weights")
    ModelManifest(
        name=name,
        version="1.0.0",
        stage="view",
        title="A made model",
        architecture="one layer",
        precision="fp32",
        sha256=sha256_of(folder / "1" / "model.onnx"),
        inputs=(TensorSpec(name="image", dtype="UINT8", shape=(-1, 1, 64, 64)),),
        outputs=(
            TensorSpec(name="logits", dtype="FP32", shape=(-1, 2)),
            TensorSpec(name="novelty", dtype="FP32", shape=(-1, 1)),
        ),
        labels=("axial", "coronal"),
        preprocessing=Preprocessing(size=64),
        postprocessing=Postprocessing(threshold=0.6, min_component_px=12),
        novelty=Novelty(review_above=1.5, refuse_above=2.25, fitted_on="made slices"),
        calibration=Calibration(temperature=0.75, coverage=0.95, thresholds={"axial": 0.9, "coronal": 0.25}),
        training=Training(command="train", seed=1, config={}, dataset="none", groups_sha256="0" * 64, groups={}),
    ).dump(folder)
    if card:
        figures = {
            "metrics": {
                "summary": {
                    "accuracy": {"value": 0.98765, "low": 0.9, "high": 1.0, "slices": 50, "groups": 12},
                    "mean size of the sets": 1.25,
                },
                "tables": {"by class": [{"label": "axial", "support": 25, "recall": 0.5}], "by source": []},
                "notes": ["Folds judged: 0, 1 of five."],
            },
            "leaky": {"accuracy": {"value": 1.0, "low": 1.0, "high": 1.0, "slices": 50, "groups": 50}},
        }
        made_card(name).model_copy(update=figures).dump(folder)


def _row(name: str, score: float, ms: float, *, default: bool = False, task: str = "view") -> ZooRow:
    figure = Estimate(value=score, low=score - 0.01, high=score + 0.01, slices=100, groups=40)
    return ZooRow(
        name=name,
        stage="view",
        task=task,
        architecture="one layer",
        default=default,
        parameters=1_000_000,
        file_bytes=4_000_000,
        ms=ms,
        ratio=ms / 4,
        figures={"accuracy": figure},
    )


def _results(path: Path, rows: tuple[ZooRow, ...]) -> None:
    zoo = ZooResult(rows=rows, left_out={"tumor-cnn": "not trained"})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"parts": {"zoo": {"table": zoo.model_dump(mode="json"), "cards": {}}}}), "utf-8")


def test_a_page_says_what_the_card_and_the_manifest_say(tmp_path: Path) -> None:
    _publish(tmp_path, "view")
    text = model_pages(tmp_path, tmp_path / "none.json")["view.md"]
    for expected in (
        "# view: A made model",
        "**Research only.**",
        "| accuracy | 0.988 (0.900 to 1.000) | 50 | 12 |",
        "| mean size of the sets | 1.250 | – | – |",
        "### By class\n\n| class | support | recall |\n|---|---|---|\n| axial | 25 | 0.500 |",
        "Folds judged: 0, 1 of five.",
        "| accuracy | 1.000 (1.000 to 1.000) | 50 | 50 |",
        "divided by 0.750",
        "| coronal | 0.250 |",
        "Probability of at least 0.6; parts under 12 px",
        "above 1.5 a person must look, above 2.25 nothing is answered. Fitted on made slices.",
        "- Made up.",
        "largest difference of a probability 1.0e-06",
        "- MIT",
        "`image` UINT8 [N, 1, 64, 64]",
        "1,234,567",
        "Groups: 8 train, 2 test; seed 20; 2 epochs, last loss 0.500.",
        "    model-export train it",
    ):
        assert expected in text
    assert "By source" not in text


def test_a_model_without_a_card_has_a_page_too(tmp_path: Path) -> None:
    _publish(tmp_path, "mine", card=False)
    pages = model_pages(tmp_path, tmp_path / "none.json")
    assert "came without a card" in pages["mine.md"]
    assert "| [mine](mine.md) | view | A made model | – | – | no card |" in pages["README.md"]


def test_figures_of_another_form_are_listed_by_name(tmp_path: Path) -> None:
    _publish(tmp_path, "view", card=False)
    metrics = {"loss": {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6}, "points": 0.25}, "rows": [1, 2]}
    made_card("view").model_copy(update={"metrics": metrics}).dump(tmp_path / "view")
    text = model_pages(tmp_path, tmp_path / "none.json")["view.md"]
    assert "| loss, accuracy | 0.500 (0.400 to 0.600) |" in text
    assert "| loss, points | 0.250 |" in text


def test_a_model_that_was_not_judged_says_so(tmp_path: Path) -> None:
    _publish(tmp_path, "view", card=False)
    made_card("view").dump(tmp_path / "view")
    assert "Not judged yet" in model_pages(tmp_path, tmp_path / "none.json")["view.md"]


def test_the_index_has_the_zoos_table_with_the_default_first(tmp_path: Path) -> None:
    _publish(tmp_path / "models", "view")
    _results(tmp_path / "results.json", (_row("view-vgg16", 0.97, 40.0), _row("view", 0.99, 4.0, default=True)))
    (tmp_path / "zoo.svg").write_text("<svg/>", encoding="utf-8")
    text = model_pages(tmp_path / "models", tmp_path / "results.json")["README.md"]
    default = "| **[view](view.md)** (default) | 1.00 M | 4.0 MB | 4.0 | 1.00 | 0.990 (0.980 to 1.000) |"
    other = "| view-vgg16 | 1.00 M | 4.0 MB | 40.0 | 10.00 | 0.970 (0.960 to 0.980) |"
    assert text.index(default) < text.index(other)
    assert "Left out: tumor-cnn (not trained)." in text
    assert "../evaluation/zoo.svg" in text
    assert "[view](view.md) | view | A made model | 1.23 M | 2.5 MB | accuracy 0.988 (0.900 to 1.000)" in text


def test_the_trade_off_is_said_in_measured_terms() -> None:
    default = _row("view", 0.98, 4.0, default=True)
    better, faster = _row("large", 0.985, 40.0), _row("small", 0.95, 1.0)
    text = trade_off([default, better, faster])
    assert "`large` scores 0.005 higher at 10.0 times the time (within the intervals)." in text
    assert "`small` takes 0.25 of the time and scores 0.030 lower." in text
    assert "No other scores higher" in trade_off([default, faster])
    assert "beyond the intervals" in trade_off([default, _row("best", 1.01, 9.0)])
    assert "alone" in trade_off([faster])
    assert "no rival" in trade_off([default])


def test_check_finds_stale_missing_and_left_over_pages(tmp_path: Path) -> None:
    _publish(tmp_path / "models", "view")
    options = ["--models", str(tmp_path / "models"), "--out", str(tmp_path / "docs"), "--results", str(tmp_path / "r")]
    runner = CliRunner()
    assert runner.invoke(app, ["cards", *options, "--check"]).exit_code == 1
    assert not (tmp_path / "docs").exists()
    assert runner.invoke(app, ["cards", *options]).exit_code == 0
    assert runner.invoke(app, ["cards", *options, "--check"]).exit_code == 0
    (tmp_path / "docs" / "view.md").write_text("edited by hand", encoding="utf-8")
    assert "view.md" in runner.invoke(app, ["cards", *options, "--check"]).output
    (tmp_path / "docs" / "gone.md").write_text("a model that is no more", encoding="utf-8")
    assert "gone.md" in runner.invoke(app, ["cards", *options, "--check"]).output
    assert runner.invoke(app, ["cards", *options]).exit_code == 0
    assert {path.name for path in (tmp_path / "docs").iterdir()} == {"README.md", "view.md"}


def test_a_model_file_that_is_not_the_manifests_is_refused(tmp_path: Path) -> None:
    _publish(tmp_path, "view")
    (tmp_path / "view" / "1" / "model.onnx").write_bytes(b"others")
    with pytest.raises(ModelInvalid, match="sha256"):
        model_pages(tmp_path, tmp_path / "none.json")
