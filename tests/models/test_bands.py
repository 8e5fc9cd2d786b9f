"""Boundary bands from made answers: into the manifest, into the report, or refused with what is missing."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from model_export.cli import app
from model_export.datasets.brats import brats_split
from model_export.datasets.split import FOLDS, Fold
from model_export.evaluation.assembly import Results, measure, sections
from model_export.evaluation.band_parts import PARTS
from model_export.evaluation.card_figures import figures_by_model
from model_export.evaluation.html_report import write_html
from model_export.evaluation.outline_sources import banded_models, outline_pairs
from model_export.evaluation.sections import Place
from model_export.evaluation.store import predictions_path
from model_export.evaluation.volume_predictions import FULL, VolumePredictions, save_volumes
from service_kit.inference.manifest import ModelManifest, Postprocessing, TensorSpec
from service_kit.inference.volume import VolumePreprocessing
from service_kit.testing import tiny_model
from tests.models.made_sets import Made, square, write_lgg
from tests.models.made_volumes import made_labels, write_brats

CASES = tuple(f"case-{number}" for number in range(10))
TRUTH = made_labels()
INPUTS = (
    TensorSpec(name="volume", dtype="FP32", shape=(-1, 4, 32, 32, 32)),
    TensorSpec(name="present", dtype="FP32", shape=(-1, 4)),
)


def publish_3d(models: Path, name: str = "unet3d", variant_of: str | None = None) -> None:
    flat = tiny_model(models, "segmentation", name=name)
    volume = VolumePreprocessing(patch_voxels=32)
    changes = {"preprocessing": None, "volume": volume, "inputs": INPUTS, "variant_of": variant_of}
    flat.model_copy(update=changes).dump(models / name)


def answer(cache: Path, folds: dict[int, tuple[str, ...]], name: str = "unet3d") -> None:
    """Outlines of balls that are smaller than the true one, case by case."""
    for fold, cases in folds.items():
        maps: dict[str, NDArray[np.uint8]] = {
            case: made_labels(radius=9.0 - 0.25 * CASES.index(case)) for case in cases
        }
        predictions = VolumePredictions(name, dict.fromkeys(cases, fold), {FULL: maps})
        save_volumes(predictions_path(cache, name, Fold(fold)), predictions)


@pytest.fixture(scope="module")
def made_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("brats")
    write_brats(root, CASES, TRUTH)
    return root


@pytest.fixture
def place(tmp_path: Path, made_root: Path) -> Place:
    (tmp_path / "models").mkdir()
    return Place(made_root, tmp_path / "cache", tmp_path / "models", lambda _: None)


def run(place: Place, *arguments: str) -> tuple[int, str]:
    options = ["--data", str(place.root), "--cache", str(place.cache), "--models", str(place.models)]
    result = CliRunner().invoke(app, ["bands", *arguments, *options])
    return result.exit_code, " ".join(result.output.split())


def test_the_band_goes_into_the_manifests_of_the_model_and_its_variants(place: Place) -> None:
    publish_3d(place.models)
    publish_3d(place.models, "unet3d-int8", variant_of="unet3d")
    publish_3d(place.models, "other")
    answer(place.cache, {0: CASES[:5], 1: CASES[5:]})
    code, output = run(place, "unet3d")
    assert code == 0, output
    assert "in the manifests of unet3d, unet3d-int8" in output
    band = ModelManifest.load(place.models / "unet3d").band
    assert band is not None
    assert band == ModelManifest.load(place.models / "unet3d-int8").band
    assert ModelManifest.load(place.models / "other").band is None
    assert band.coverage == 0.9
    assert band.fitted_on == "10 brats patients, outlined by networks that never saw them (folds 0, 1)"
    # The worst of ten is 2.25 mm off, a diameter by twice that; exposed faces are 1.5 times a ball's surface.
    assert 1.5 < band.volume_mm < 3.0
    assert band.diameter_mm == pytest.approx(4.5, abs=0.8)


def test_the_chapter_says_what_ten_cases_can_promise(place: Place, tmp_path: Path) -> None:
    publish_3d(place.models)
    answer(place.cache, {0: CASES[:5], 1: CASES[5:]})
    results = measure(PARTS, place, Results())
    assert results.missing == {}
    section = sections(PARTS, results)["bands"]
    headline = next(text for text in section.intro if text.startswith("**unet3d**"))
    assert "With 10 patients the bound is their largest error" in headline
    assert "n / (n + 1) = 0.909" in headline
    figures = figures_by_model({"bands": section})["unet3d"].summary
    assert figures["interval_coverage_volume"].value == 0.9  # type: ignore[union-attr]
    write_html(tmp_path / "report.html", results, {"bands": section})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "the true value against the interval" in page
    assert "9 of 10" in page


def test_the_report_keeps_the_coverage_that_was_published(place: Place) -> None:
    publish_3d(place.models)
    answer(place.cache, {0: CASES[:5], 1: CASES[5:]})
    assert run(place, "unet3d", "--coverage", "0.8")[0] == 0
    results = measure(PARTS, place, Results())
    assert results.parts["bands"]["models"][0]["band"]["coverage"] == 0.8


def test_what_is_missing_is_said(place: Place) -> None:
    code, output = run(place, "unet3d")
    assert (code, output) == (1, "unet3d: not published: model-export publish unet3d")
    publish_3d(place.models)
    code, output = run(place, "unet3d")
    assert code == 1
    assert "no predictions of unet3d" in output
    assert "model-export predict unet3d" in output
    answer(place.cache, {0: CASES[:5]})
    code, output = run(place, "unet3d")
    assert code == 1
    assert "5 outlined patients promise a coverage of 0.833 at most; 0.9 takes 9" in output
    assert ModelManifest.load(place.models / "unet3d").band is None
    tiny_model(place.models, "segmentation", name="seg-t1")
    code, output = run(place, "seg-t1")
    assert code == 1
    assert "seg-t1: no volumes with a spacing" in output
    tiny_model(place.models, "segmentation", name="seg-flair-film", sequences=("t1", "flair", "t1ce"), clinical=True)
    code, output = run(place, "seg-flair-film")
    assert code == 1
    assert "no fold's network of seg-flair-film" in output


def test_the_part_is_left_out_where_nothing_was_predicted(place: Place) -> None:
    assert "model-export predict" in measure(PARTS, place, Results()).missing["bands"]


def test_slice_networks_answer_for_the_cases_that_they_never_saw(tmp_path: Path) -> None:
    root, cache, name = tmp_path / "sets", tmp_path / "cache", "seg-flair-film"
    write_brats(root, CASES)
    tumor = square(20, 20, 12)
    write_lgg(root, [Made(f"TCGA_CS_{n}", n, "glioma", tumor, tumor * 255) for n in range(FOLDS)])
    for index in range(2):
        tiny_model(
            cache / "folds" / str(index), "segmentation", name=name, sequences=("t1", "flair", "t1ce"), clinical=True
        )
    folds = [Fold(index) for index in range(FOLDS)]
    pairs = outline_pairs(name, root, cache, folds, Postprocessing(), threads=1)
    tested = {index: brats_split(root, Fold(index)).test for index in range(2)}
    assert {pair.patient: pair.fold for pair in pairs} == {case: k for k, cases in tested.items() for case in cases}
    whole_ml = {case: float((made_labels((18 + n % 3 * 4, 20, 18)) > 0).sum()) / 1000 for n, case in enumerate(CASES)}
    for pair in pairs:
        assert pair.true_ml == pytest.approx(whole_ml[pair.patient])
        assert pair.found_ml > 0
        assert pair.surface_mm2 > 0
    assert set(banded_models()) == {"seg-flair-film", "unet3d", "attention-unet3d"}
