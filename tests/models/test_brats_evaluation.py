"""The 3D networks' figures on made answers, and the way of one from training to the report."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from model_export.card import ModelCard
from model_export.datasets.split import Fold
from model_export.evaluation.assembly import Results, measure, sections
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.brats_chapter import brats_section
from model_export.evaluation.brats_parts import PARTS
from model_export.evaluation.brats_volumes import evaluate_brats
from model_export.evaluation.card_figures import figures_by_model
from model_export.evaluation.html_report import write_html
from model_export.evaluation.sections import Place
from model_export.evaluation.store import predictions_path
from model_export.evaluation.volume_distance import hd95_mm
from model_export.evaluation.volume_predictions import (
    FULL,
    VARIANTS,
    VolumePredictions,
    read_volume_predictions,
    save_volumes,
)
from model_export.evaluation.window_choice import (
    WINDOWS,
    Window,
    WindowResult,
    WindowRow,
    choose_window,
    with_chosen_window,
)
from model_export.publishing import predict, publish
from model_export.repository import Workplace
from model_export.training.run import recipe, train_network
from model_export.training.volume_config import VolumeConfig
from service_kit.errors import ModelInvalid
from service_kit.inference.manifest import ModelManifest
from service_kit.inference.repository import ModelRepository
from service_kit.inference.tumor_regions import REGIONS
from service_kit.inference.volume import VolumePreprocessing
from tests.models.made_volumes import SHAPE, made_labels, write_brats

MM = (1.0, 1.0, 1.0)
TRUTH = made_labels()
NAMES = ("a", "b", "c", "d")


def box(start: tuple[int, int, int], size: tuple[int, int, int], label: int = 1) -> NDArray[np.uint8]:
    volume = np.zeros(SHAPE, np.uint8)
    volume[tuple(slice(at, at + length) for at, length in zip(start, size, strict=True))] = label
    return volume


def answered(maps: dict[str, NDArray[np.uint8]], name: str = "unet3d") -> VolumePredictions:
    folds = {case: number % 2 for number, case in enumerate(maps)}
    return VolumePredictions(name, folds, {FULL: maps, "without-t1ce": dict.fromkeys(maps, np.zeros_like(TRUTH))})


@pytest.fixture(scope="module")
def made_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("brats")
    write_brats(root, NAMES, TRUTH)
    return root


def test_distances_are_in_millimeters_along_every_axis() -> None:
    truth = box((5, 5, 5), (8, 8, 8))
    assert hd95_mm(truth, truth, MM) == 0.0
    for axis, moved in enumerate(((9, 5, 5), (5, 9, 5), (5, 5, 9))):
        spacing = tuple(3.0 if at == axis else 1.0 for at in range(3))
        assert hd95_mm(box(moved, (8, 8, 8)), truth, MM) == pytest.approx(4.0)
        assert hd95_mm(box(moved, (8, 8, 8)), truth, spacing) == pytest.approx(12.0)  # type: ignore[arg-type]


def test_there_is_no_distance_to_nothing_and_shapes_must_agree() -> None:
    assert np.isnan(hd95_mm(np.zeros(SHAPE), TRUTH, MM))
    with pytest.raises(ValueError, match="no answer"):
        hd95_mm(np.zeros((2, 2, 2)), TRUTH, MM)


def test_regions_are_judged_case_by_case(made_root: Path) -> None:
    no_enhancement = np.where(TRUTH == 3, np.uint8(1), TRUTH)
    found = {"a": TRUTH, "b": TRUTH, "c": no_enhancement, "d": np.zeros_like(TRUTH)}
    (network,) = evaluate_brats(made_root, {"unet3d": answered(found)}).networks
    whole, core, enhancing = network.regions
    assert (network.cases, network.folds) == (4, (0, 1))
    assert whole.dice.values == (1.0, 1.0, 1.0, 0.0)
    assert core.dice.dice.value == 0.75
    assert enhancing.dice.values == (1.0, 1.0, 0.0, 0.0)
    assert enhancing.no_distance == 2
    assert whole.hd95_mm is not None
    assert whole.hd95_mm.value == 0.0
    volume_ml = float((TRUTH > 0).sum()) / 1000
    assert whole.mean_true_ml == pytest.approx(volume_ml)
    assert whole.volume_bias_ml.value == pytest.approx(-volume_ml / 4)
    assert whole.volume_error_ml.value == pytest.approx(volume_ml / 4)
    assert {row.variant: row.dice[0].value for row in network.variants} == {FULL: 0.75, "without-t1ce": 0.0}


def test_a_region_that_is_not_there_counts_as_found_where_it_is_not_marked(tmp_path: Path) -> None:
    labels = np.where(TRUTH == 3, np.uint8(1), TRUTH)
    write_brats(tmp_path, NAMES, labels)
    found = {"a": labels, "b": labels, "c": TRUTH, "d": labels}
    (network,) = evaluate_brats(tmp_path, {"unet3d": answered(found)}).networks
    enhancing = network.regions[REGIONS.index("enhancing_tumor")]
    assert enhancing.dice.values == (1.0, 1.0, 0.0, 1.0)
    assert (enhancing.empty_truth, enhancing.marked_though_empty) == (4, 1)
    assert enhancing.dice_where_present is None
    assert enhancing.hd95_mm is None


def test_attention_is_compared_on_the_cases_that_both_judged(made_root: Path) -> None:
    half = np.where(np.arange(SHAPE[0])[:, None, None] < 22, TRUTH, 0).astype(np.uint8)
    plain, gated = answered(dict.fromkeys(NAMES, half)), answered(dict.fromkeys(NAMES[:3], TRUTH), "attention-unet3d")
    result = evaluate_brats(made_root, {"unet3d": plain, "attention-unet3d": gated})
    row = result.differences[0]
    assert (row.first, row.second) == ("attention-unet3d: whole_tumor", "unet3d: whole_tumor")
    assert row.difference.groups == 3
    assert 0.2 < row.difference.value < 0.6
    assert (row.better, row.worse) == (1.0, 0.0)
    with pytest.raises(ValueError, match="share no"):
        evaluate_brats(
            made_root, {"unet3d": answered({"a": TRUTH}), "attention-unet3d": answered({"b": TRUTH}, "other")}
        )


def test_answers_are_kept_and_pooled_over_the_folds_there_are(tmp_path: Path) -> None:
    for index, names in ((0, ("a", "b")), (3, ("c",))):
        maps = {variant: dict.fromkeys(names, TRUTH) for variant in VARIANTS}
        predictions = VolumePredictions("unet3d", dict.fromkeys(names, index), maps)
        save_volumes(predictions_path(tmp_path, "unet3d", Fold(index)), predictions)
    pooled = read_volume_predictions(tmp_path, "unet3d", [Fold(index) for index in range(5)])
    assert pooled.folds == {"a": 0, "b": 0, "c": 3}
    assert set(pooled.maps) == set(VARIANTS)
    np.testing.assert_array_equal(pooled.maps["without-t2"]["c"], TRUTH)
    with pytest.raises(FileNotFoundError, match="model-export predict attention-unet3d"):
        read_volume_predictions(tmp_path, "attention-unet3d", [Fold(0)])


def test_the_chapter_shows_targets_costs_and_cards(made_root: Path, tmp_path: Path) -> None:
    result = evaluate_brats(
        made_root,
        {
            "unet3d": answered(dict.fromkeys(NAMES, TRUTH)),
            "attention-unet3d": answered(dict.fromkeys(NAMES, TRUTH), "attention-unet3d"),
        },
    )
    section = brats_section(result)
    assert [target.limit for target in section.targets] == [0.86, 0.75, 0.68]
    assert all(target.met for target in section.targets)
    assert "enhancing tumor **1.000" in section.intro[0]
    assert [table.title for table in section.tables][-1] == "Attention gates against none, paired"
    figures = figures_by_model({"brats": section})
    assert figures["attention-unet3d"].tables["by what is shown"][1]["label"] == "without t1ce"
    stored = Results(parts={"brats": result.model_dump(mode="json")})
    write_html(tmp_path / "report.html", stored, sections(PARTS, stored))
    assert "what a missing sequence costs" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.timeout(600)
def test_from_training_to_the_report(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    root, cache = tmp_path / "sets", tmp_path / "cache"
    write_brats(root, [f"case-{number}" for number in range(5)])
    quick = recipe("unet3d").with_overrides(size=32, small_epochs=0, epochs=1, limit=2)
    assert isinstance(quick, VolumeConfig)
    place = Workplace(root, cache, tmp_path / "models")
    for fold in (Fold(0), Fold(None)):
        train_network(root, cache, quick.for_fold(fold), lambda _: None, threads=1)
    predict("unet3d", place, Fold(0), lambda _: None)
    results = measure(PARTS, Place(root, cache, place.models, lambda _: None), Results())
    assert results.missing == {}
    assert results.parts["brats"]["networks"][0]["cases"] == 1
    assert len(results.parts["brats"]["networks"][0]["variants"]) == 5
    assert set(results.parts) == {"brats", "brats-window"}
    chosen = WindowResult.model_validate(results.parts["brats-window"]).chosen
    chapters = sections(PARTS, results)
    assert len(chapters["brats-window"].tables[0].rows) == len(WINDOWS)
    manifest = publish("unet3d", place, Fold(None), lambda _: None)
    assert manifest.volume is not None
    assert (manifest.volume.patch_voxels, manifest.volume.spacing_mm) == (32, 1.0)
    assert manifest.preprocessing is None
    assert manifest.labels == REGIONS
    assert manifest.sequences == ("t1", "t1ce", "t2", "flair")
    assert manifest.training.command == "model-export train unet3d --fold all --data ../shared/data"
    assert "own 1 mm voxels" in ModelCard.load(place.models / "unet3d").protocol
    repository = ModelRepository(place.models)
    assert repository.by_stage("segmentation") == ()
    assert [found.name for found in repository.by_stage("segmentation", volumes=True)] == ["unet3d"]
    assert (manifest.volume.step, manifest.volume.mirrored) == (chosen.step, chosen.mirrored)


def _row(step: float, dice: float, cpu_s: float) -> WindowRow:
    estimate = Estimate(value=dice, low=dice, high=dice, slices=5, groups=5)
    return WindowRow(window=Window(step=step), dice=estimate, cpu_s=cpu_s)


def test_the_cheapest_window_near_the_best_is_taken(tmp_path: Path) -> None:
    rows = [_row(1.0, 0.80, 1.0), _row(0.75, 0.846, 2.0), _row(0.5, 0.85, 4.0), _row(0.25, 0.849, 20.0)]
    assert choose_window(rows).step == 0.75
    with pytest.raises(ValueError, match="no window"):
        choose_window([])
    plain = VolumePreprocessing(patch_voxels=96)
    assert with_chosen_window(plain, tmp_path, "unet3d") == plain
    WindowResult(name="unet3d", rows=tuple(rows), chosen=Window(step=0.75, mirrored=(0,))).dump(tmp_path)
    changed = with_chosen_window(plain, tmp_path, "unet3d")
    assert (changed.step, changed.mirrored, changed.patch_voxels) == (0.75, (0,), 96)


def test_a_3d_manifest_names_its_inputs(tmp_path: Path) -> None:
    source = next((Path(__file__).parents[2] / "models").glob("seg-t1/manifest.json"))
    manifest = ModelManifest.model_validate_json(source.read_bytes())
    changed = manifest.model_dump(mode="json") | {"volume": {"patch_voxels": 96}}
    (tmp_path / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(ModelInvalid, match="a 3D model reads volume and present"):
        ModelManifest.load(tmp_path)
