"""The chapters are measured from a cache as it lies on disk, shown from the stored result alone, and drawn."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt

from model_export.datasets.split import Fold
from model_export.evaluation.assembly import Results
from model_export.evaluation.card_figures import write_figures
from model_export.evaluation.cases import Case, extremes, save_cases
from model_export.evaluation.sections import Part, PartMissing, Place, Section
from model_export.evaluation.segmentation_parts import PARTS
from model_export.evaluation.store import predictions_path, save_predictions
from service_kit.inference.manifest import ModelManifest, Training, sha256_of
from tests.models.made_cards import made_card
from tests.models.made_sets import IDENTITY, Made, predictions, square, write_lgg, write_t1

NOTHING = square(0, 0, 0)
T1 = [
    Made("g1", 0, "glioma", square(20, 20, 20), square(20, 30, 20, value=255)),
    Made("m1", 0, "meningioma", square(10, 10, 20), square(10, 10, 20, value=255), view=""),
    Made("n1", 0, "no_tumor", NOTHING, NOTHING, source="br35h"),
    Made("p1", 0, "pituitary", square(30, 30, 10), square(30, 30, 10, value=255)),
]
LGG = [Made(f"P{n}", 0, "glioma", square(20, 20, 20), square(20, 20 + 2 * n, 20, value=255)) for n in range(4)]


def _model(cache: Path, name: str) -> None:
    folder = cache / "folds" / "0" / name
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.onnx").write_bytes(b"made")
    manifest = ModelManifest(
        name=name,
        version="1.0.0",
        stage="segmentation",
        title=name,
        architecture="made",
        precision="fp32",
        sha256=sha256_of(folder / "1" / "model.onnx"),
        inputs=(),
        outputs=(),
        preprocessing=IDENTITY,
        training=Training(command="none", seed=0, config={}, dataset="made", groups_sha256="0" * 64, groups={}),
    )
    manifest.dump(folder)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    write_t1(tmp_path / "sets", T1)
    write_lgg(tmp_path / "sets", LGG)
    cache, full = tmp_path / "cache", np.stack([made.plane for made in LGG])
    flair = predictions(LGG, "seg-flair-film", none=full, shuffled=full, flair=full)
    told_nothing = predictions(LGG, "seg-flair-none", none=full)
    for found in (predictions(T1), flair, told_nothing):
        save_predictions(predictions_path(cache, found.name, Fold(0)), found)
        _model(cache, found.name)
    save_predictions(
        predictions_path(cache, "seg-t1", Fold(0, leaky=True)), replace(predictions(T1), folds=np.zeros(4))
    )
    return Place(tmp_path / "sets", cache, tmp_path / "models", report=lambda _: None, cases=tmp_path / "cases")


def _shown(part: Part, place: Place) -> Section:  # type: ignore[type-arg]
    stored = json.loads(part.measure(place).model_dump_json())
    section = part.shown(stored)
    for chart in section.charts:
        figure = chart.draw()
        assert figure.get_axes()
        plt.close(figure)
    for table in section.tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
    return section


def test_the_t1_chapter(place: Place) -> None:
    section = _shown(PARTS[0], place)
    assert [target.value for target in section.targets] == pytest.approx([2.5 / 3, 1.0])
    assert [target.met for target in section.targets] == [True, True]
    card = section.cards["seg-t1"]
    assert {row["label"]: row["dice"] for row in card.tables["by class"]} == pytest.approx(
        {"glioma": 0.5, "meningioma": 1.0, "pituitary": 1.0}
    )
    assert set(card.leaky) == {"dice", "median_dice"}
    assert "millimeters are not known" in section.tables[0].note
    files = sorted(path.name for path in (place.cases or Path()).iterdir())
    assert files == ["seg-t1-glioma.png", "seg-t1-meningioma.png", "seg-t1-pituitary.png"]


def test_the_flair_chapter_says_what_the_record_is_worth(place: Place) -> None:
    section = _shown(PARTS[1], place)
    assert any("The clinical record does not help" in paragraph for paragraph in section.intro)
    assert any("does not help" in note for note in section.cards["seg-flair-film"].notes)
    assert section.cards["seg-flair-film"].record_helps is False
    film = next(table for table in section.tables if "record" in table.title)
    assert [row[0] for row in film.rows].count("trained apart") == 1
    assert place.cases is not None
    assert (place.cases / "seg-flair-film.png").stat().st_size > 1000


def test_the_verdict_decides_whether_a_record_is_read_unasked(place: Place, tmp_path: Path) -> None:
    models = tmp_path / "models"
    names = {"seg-flair-film": None, "seg-flair-film-int8": "seg-flair-film", "seg-t1": None}
    for name, source in names.items():
        folder = models / name
        _model(tmp_path, name)
        shutil.copytree(tmp_path / "folds" / "0" / name, folder)
        ModelManifest.load(folder).model_copy(update={"variant_of": source}).dump(folder)
        made_card(name).dump(folder)
    found = PARTS[1].measure(place).model_dump(mode="json")
    for verdict, reads in (("none", False), ("full", True)):
        found["film"]["default_variant"] = verdict
        write_figures(models, Results(parts={"seg-flair-film": found}))
        read = {name: ModelManifest.load(models / name).clinical_by_default for name in names}
        assert read == {"seg-flair-film": reads, "seg-flair-film-int8": reads, "seg-t1": True}


def test_without_predictions_the_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="model-export predict seg-t1"):
        PARTS[0].measure(Place(tmp_path, tmp_path, tmp_path))


def test_a_changed_model_is_no_model_of_these_predictions(place: Place) -> None:
    (place.cache / "folds" / "0" / "seg-t1" / "1" / "model.onnx").write_bytes(b"another")
    with pytest.raises(PartMissing, match="model-export predict seg-t1"):
        PARTS[0].measure(place)


def test_pictures_of_patients_stay_out_of_a_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    place = Place(tmp_path, tmp_path, tmp_path, cases=tmp_path / "docs" / "cases")
    for part in PARTS:
        with pytest.raises(ValueError, match="inside the repository"):
            part.measure(place)
    case = Case("c", square(0, 0, 5), square(0, 0, 5), square(0, 0, 5))
    with pytest.raises(ValueError, match="choose a folder outside"):
        save_cases(tmp_path / "c.png", [("best", [case])])
    assert not (tmp_path / "c.png").exists()


def test_extremes_by_hand() -> None:
    best, worst = extremes(np.array([0.5, 0.9, 0.1, 0.7, 0.8]), np.array(["a", "b", "c", "a", "b"]), 2)
    assert (best.tolist(), worst.tolist()) == ([1, 3], [2, 0])
