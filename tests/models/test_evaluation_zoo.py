"""The zoo's table from made predictions and the published files; the parts that read cards."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from model_export.datasets.split import Fold
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.literature_parts import CLAIMS, measure_literature, render_literature
from model_export.evaluation.published_parts import measure_published, render_published
from model_export.evaluation.sections import PartMissing, Place
from model_export.evaluation.store import predictions_path, save_predictions
from model_export.evaluation.style import svg_of
from model_export.evaluation.timing import interleaved_ms
from model_export.evaluation.training_parts import measure_training, render_training
from model_export.evaluation.zoo import ZooResult, ZooRow
from model_export.evaluation.zoo_parts import draw_trade_off, measure_zoo, render_zoo
from service_kit.inference.manifest import ModelManifest
from tests.models.evaluation_fakes import grouped
from tests.models.made_cards import made_card


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data", tmp_path / "cache", tmp_path / "models", lambda _: None)


def test_networks_that_were_not_predicted_are_left_out(place: Place, models: Path) -> None:
    with pytest.raises(PartMissing, match="predict zoo"):
        measure_zoo(place)
    labels = ("axial", "coronal", "sagittal")
    predictions = grouped(labels, groups=120, folds=2)
    chosen = predictions.folds == 0
    fields = ("keys", "groups", "sources", "views", "main", "folds", "truth", "logits")
    part = {name: getattr(predictions, name)[chosen] for name in fields}
    save_predictions(predictions_path(place.cache, "view", Fold(0)), type(predictions)("view", labels, **part))
    shutil.copytree(models / "view", place.cache / "folds" / "0" / "view")
    found = measure_zoo(place)
    (row,) = found.table.rows
    assert (row.name, row.task, row.default, row.ratio) == ("view", "view", True, 1.0)
    right = part["logits"].argmax(axis=1) == part["truth"]
    assert row.figures["accuracy"].value == pytest.approx(right[part["main"]].mean())
    assert row.parameters > 1_000_000
    assert row.file_bytes == (models / "view" / "1" / "model.onnx").stat().st_size
    assert set(found.table.left_out) >= {"tumor", "tumor-cnn", "seg-unet", "view-vgg16"}
    assert found.cards == {}
    section = render_zoo(found)
    assert section.tables[0].rows[0][0] == "**view** (default)"
    assert "tumor-cnn" in section.notes[0]


def test_rounds_of_all_models_are_timed_in_turn(models: Path) -> None:
    found = interleaved_ms({"one": models / "clinical", "two": models / "clinical"})
    assert set(found) == {"one", "two"}
    assert len(found["one"]) == len(found["two"])
    assert (found["one"] > 0).all()


def test_the_chart_has_a_panel_a_task() -> None:
    def row(name: str, task: str, figure: str, ms: float, *, default: bool) -> ZooRow:
        value = Estimate(value=0.9, low=0.85, high=0.95, slices=10, groups=5)
        return ZooRow(
            name=name,
            stage="tumor",
            task=task,
            architecture="one layer",
            default=default,
            parameters=1,
            file_bytes=1,
            ms=ms,
            ratio=ms,
            figures={figure: value},
        )

    table = ZooResult(
        rows=(
            row("tumor", "tumor, four classes", "macro-F1", 1.0, default=True),
            row("tumor-cnn", "tumor, four classes", "macro-F1", 3.0, default=False),
            row("seg-t1", "outline, T1", "Dice, tumor slices", 9.0, default=True),
        ),
        left_out={},
    )
    assert table.tasks() == ["tumor, four classes", "outline, T1"]
    assert len(draw_trade_off(table).axes) == 2
    assert svg_of(draw_trade_off(table)).count("<svg") == 1


def test_training_curves_come_out_of_the_cards(place: Place) -> None:
    with pytest.raises(PartMissing, match="publish"):
        measure_training(place)
    for name in ("a", "b"):
        (place.models / name).mkdir(parents=True)
        made_card(name).dump(place.models / name)
    section = render_training(measure_training(place))
    assert section.tables[0].rows[0] == ("a", 2, 0.9, 0.5, 2.0, None)
    assert len(section.charts[0].draw().axes) == 2


def test_our_figures_stand_beside_the_claims_where_there_are_any(place: Place) -> None:
    assert measure_literature(place).ours == {}
    dice = Estimate(value=0.88, low=0.85, high=0.9, slices=94, groups=94).model_dump()
    place.found["film"] = {"segmentation": {"volume": {"dice": dice}}}
    place.found["tumor"] = {
        "accuracy": {"mean": dice},
        "leaky": {"macro_f1": {"value": 0.99}, "grouped_macro_f1": 0.95},
    }
    found = measure_literature(place)
    assert found.ours["volume Dice"] == Estimate.model_validate(dice)
    assert found.ours["what our leaky arm adds"] == "+4.0 points of macro-F1"
    rows = render_literature(found).tables[0].rows
    assert len(rows) == len(CLAIMS)
    assert all(claim.source.startswith("https://") for claim in CLAIMS)
    assert rows[0][5] == found.ours["volume Dice"]
    assert np.isfinite(found.ours["four-class accuracy"].value)  # type: ignore[union-attr]


def test_the_report_names_the_files_and_who_trained_them(place: Place, models: Path) -> None:
    with pytest.raises(PartMissing, match="publish"):
        measure_published(place)
    found = measure_published(Place(place.root, place.cache, models))
    assert {file.name for file in found.files} == {path.parent.name for path in models.glob("*/manifest.json")}
    rows = render_published(found).tables[0].rows
    assert len(rows) == len(found.files)
    manifest = ModelManifest.load(models / "view")
    training = manifest.training.model_copy(update={"groups": {"train": 8, "test": 2}, "config": {"fold": 0}})
    fold = manifest.model_copy(update={"training": training})
    everyone = training.model_copy(update={"groups": {"train": 10, "test": 0}, "config": {"fold": None}})
    for name, written in (("fold", fold), ("everyone", manifest.model_copy(update={"training": everyone}))):
        shutil.copytree(models / "view", place.models / name)
        written.dump(place.models / name)
    said = [(file.trained_on, file.groups) for file in measure_published(place).files]
    assert said == [("all patients", 10), ("the training part of fold 0", 8)]
