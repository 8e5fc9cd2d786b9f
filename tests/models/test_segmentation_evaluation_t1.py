"""seg-t1's figures on eight made slices: each is known before it is computed."""

from pathlib import Path

import numpy as np
import pytest

from model_export.evaluation.asked import asked_first
from model_export.evaluation.ground import ground_t1
from model_export.evaluation.mask_cut import candidate_rules, count_cuts, cross_fitted, fit_cut
from model_export.evaluation.segmentation import T1Segmentation
from model_export.evaluation.segmenters import evaluate_t1
from model_export.evaluation.store import ClassifierPredictions
from service_kit.inference.manifest import Postprocessing
from tests.models.made_sets import IDENTITY, Made, predictions, square, write_t1

NOTHING = square(0, 0, 0)
SPECK = square(2, 2, 1, 5, 255)
HALF_SHIFTED = Made("g1", 0, "glioma", square(20, 20, 20), square(20, 30, 20, value=255), view="axial")
EXACT = Made("m1", 0, "meningioma", square(10, 10, 20), square(10, 10, 20, value=255), view="coronal")
MISSED = Made("p1", 1, "pituitary", square(30, 30, 10), NOTHING, view="sagittal")
SLICES = [
    HALF_SHIFTED,
    EXACT,
    Made("n1", 0, "no_tumor", NOTHING, SPECK, source="br35h"),
    Made("n2", 0, "no_tumor", NOTHING, NOTHING, source="br35h"),
    MISSED,
    Made("m2", 1, "meningioma", square(5, 5, 20), square(5, 5, 20, value=255), view="coronal", source="brisc"),
    Made("n3", 1, "no_tumor", NOTHING, SPECK, source="brisc"),
    Made("n4", 1, "no_tumor", NOTHING, square(40, 40, 10, value=255), source="brisc"),
]


@pytest.fixture(scope="module")
def made_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    write_t1(root, SLICES)
    return root


@pytest.fixture(scope="module")
def result(made_root: Path) -> T1Segmentation:
    asked = {f"{n}.png": n not in {4, 7} for n in range(len(SLICES))}
    return evaluate_t1(predictions(SLICES), made_root, IDENTITY, asked=asked, leaky=predictions(SLICES[:2]))


def test_the_cut_removes_the_specks_and_no_more(result: T1Segmentation, made_root: Path) -> None:
    assert result.cut == Postprocessing(threshold=0.3, min_component_px=16)
    assert result.cuts == {"0": result.cut, "1": result.cut}
    assert fit_cut(predictions(SLICES), ground_t1(made_root), IDENTITY, "slice") == result.cut


def test_the_mean_of_the_tumor_slices(result: T1Segmentation) -> None:
    assert result.overall.dice.value == pytest.approx((0.5 + 1 + 0 + 1) / 4)
    assert result.overall.median_dice == pytest.approx(0.75)
    assert result.overall.iou.value == pytest.approx((1 / 3 + 1 + 0 + 1) / 4)
    assert result.overall.precision.value == result.overall.recall.value == pytest.approx(2.5 / 4)
    assert result.overall.missed.value == pytest.approx(0.25)
    assert (result.overall.dice.slices, result.overall.dice.groups) == (4, 4)
    assert result.overall.values == (0.5, 1.0, 0.0, 1.0)
    assert result.folds == pytest.approx({"0": 0.75, "1": 0.5})


def test_distances_are_over_the_slices_with_both_borders(result: T1Segmentation) -> None:
    assert result.overall.hd95_px is not None
    assert result.overall.hd95_px.slices == 3
    assert result.overall.hd95_px.value == pytest.approx(10 / 3)
    assert result.overall.median_hd95_px == 0.0


def test_rows_by_class_stand_beside_the_experts(result: T1Segmentation) -> None:
    rows = {row.label: row for row in result.classes}
    assert {label: row.dice.value for label, row in rows.items()} == pytest.approx(
        {"glioma": 0.5, "meningioma": 1.0, "pituitary": 0.0}
    )
    assert {label: row.experts for label, row in rows.items()} == {
        "glioma": 0.73,
        "meningioma": 0.92,
        "pituitary": 0.83,
    }
    assert rows["pituitary"].hd95_px is None
    assert [row.label for row in result.views] == ["axial", "coronal", "sagittal"]
    assert {row.label: row.dice.slices for row in result.sources} == {"brisc": 1, "cheng": 3}


def test_empty_slices_with_and_without_the_gate(result: T1Segmentation) -> None:
    assert result.empty is not None
    assert result.empty.marked.value == pytest.approx(0.25)
    assert result.empty.marked_large.value == pytest.approx(0.25)
    assert result.empty_gated is not None
    assert result.empty_gated.marked.value == 0.0
    assert result.gated_missed is not None
    assert result.gated_missed.value == pytest.approx(0.25)


def test_the_leaky_figure_stands_beside(result: T1Segmentation) -> None:
    assert result.leaky is not None
    assert result.leaky.dice.value == pytest.approx(0.75)


def test_a_folds_own_slices_have_no_say_in_its_cut(tmp_path: Path) -> None:
    """Fold 0 wants a high threshold (a faint halo surrounds its tumors), fold 1 a low one (its tumors are faint)."""
    inner, outer = square(20, 20, 10), square(15, 15, 20)
    halo = np.where(inner > 0, 255, np.where(outer > 0, round(0.55 * 255), 0)).astype(np.uint8)
    faint = (outer * round(0.45 * 255)).astype(np.uint8)
    slices = [Made("a", 0, "glioma", inner, halo), Made("b", 1, "glioma", outer, faint)]
    write_t1(tmp_path, slices)
    counts = count_cuts(predictions(slices), ground_t1(tmp_path), IDENTITY, candidate_rules("slice"))
    chosen = [counts.rules[rule].threshold for rule in cross_fitted(counts, "slice")]
    assert chosen == [0.3, 0.6]
    result = evaluate_t1(predictions(slices), tmp_path, IDENTITY)
    assert result.overall.values == (0.4, 0.0)
    assert result.empty is None


def test_a_lone_fold_is_halved_by_groups(tmp_path: Path) -> None:
    slices = [Made(f"p{n}", 0, "glioma", square(20, 20, 10), square(20, 20, 10, value=255)) for n in range(4)]
    slices.append(Made("n", 0, "no_tumor", NOTHING, NOTHING))
    write_t1(tmp_path, slices)
    assert evaluate_t1(predictions(slices), tmp_path, IDENTITY).overall.dice.value == 1.0


def test_predictions_of_other_sets_are_refused(tmp_path: Path) -> None:
    write_t1(tmp_path, SLICES[:2])
    with pytest.raises(ValueError, match=r"2\.png: predicted, but no slice of this set"):
        evaluate_t1(predictions(SLICES), tmp_path, IDENTITY)


def test_a_cut_needs_a_tumor(tmp_path: Path) -> None:
    write_t1(tmp_path, SLICES[2:4])
    with pytest.raises(ValueError, match="without a tumor slice"):
        fit_cut(predictions(SLICES[2:4]), ground_t1(tmp_path), IDENTITY, "slice")


def _classifier(logits: list[list[float]], truth: list[int], folds: list[int]) -> ClassifierPredictions:
    count = len(truth)
    return ClassifierPredictions(
        name="tumor",
        labels=("glioma", "meningioma", "no_tumor", "pituitary"),
        keys=np.array([f"{n}.png" for n in range(count)]),
        groups=np.array([f"p{n}" for n in range(count)]),
        sources=np.array(["cheng"] * count),
        views=np.array(["axial"] * count),
        main=np.array([True] * (count - 1) + [False]),
        folds=np.array(folds, np.int64),
        truth=np.array(truth, np.int64),
        logits=np.array(logits, np.float32),
        features=None,
    )


def test_the_gate_asks_for_main_slices_that_look_like_a_tumor() -> None:
    truth = [0, 2, 1, 3] * 40 + [0]
    logits = [[9.0 * (label == of) for label in range(4)] for of in truth]
    found = asked_first(_classifier(logits, truth, [n // 80 for n in range(160)] + [1]))
    assert len(found) == 160
    assert [found[f"{n}.png"] for n in range(4)] == [True, False, True, True]
