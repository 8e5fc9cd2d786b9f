"""seg-flair-film's figures on three made patients, and the FiLM verdict on made arms."""

from pathlib import Path

import numpy as np
import pytest

from model_export.evaluation.bland_altman import bland_altman
from model_export.evaluation.film import film_evidence
from model_export.evaluation.lgg_patients import VARIANT_LABELS, PatientDice, arm_dice, evaluate_lgg
from model_export.evaluation.segmentation import LggSegmentation
from service_kit.inference.manifest import Postprocessing
from tests.models.made_sets import IDENTITY, Made, predictions, square, write_lgg

NOTHING = square(0, 0, 0)
SLICES = [
    Made("A", 0, "glioma", square(20, 20, 20), square(20, 20, 20, value=255), source="lgg"),
    Made("A", 0, "glioma", square(20, 20, 20), square(20, 30, 20, value=255), source="lgg"),
    Made("B", 0, "glioma", square(10, 10, 20), square(10, 10, 20, value=255), source="lgg"),
    Made("B", 0, "glioma", NOTHING, square(10, 10, 20, value=255), source="lgg"),
    Made("C", 1, "glioma", square(30, 30, 20), square(30, 30, 20, value=255), source="lgg"),
    Made("C", 1, "glioma", NOTHING, NOTHING, source="lgg"),
]
PX = 16
"""A pixel of the made grid is four by four of the set's 256 x 256."""


@pytest.fixture(scope="module")
def made_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    write_lgg(root, SLICES)
    return root


@pytest.fixture(scope="module")
def judged(made_root: Path) -> tuple[LggSegmentation, dict[str, PatientDice]]:
    full = np.stack([made.plane for made in SLICES])
    nothing = np.zeros_like(full)
    made = predictions(SLICES, "seg-flair-film", none=nothing, shuffled=full, flair=full)
    return evaluate_lgg(made, made_root, IDENTITY, leaky=predictions(SLICES[:2], "seg-flair-film"))


def test_a_volume_is_all_slices_of_a_patient(judged: tuple[LggSegmentation, dict[str, PatientDice]]) -> None:
    result, dices = judged
    assert dices["full"] == pytest.approx({"A": 0.75, "B": 2 / 3, "C": 1.0}, abs=0.02)
    assert result.volume.dice.value == pytest.approx(np.mean(list(dices["full"].values())))
    assert result.volume.median_dice == pytest.approx(dices["full"]["A"])
    assert result.volume.dice.groups == 3
    assert result.folds == pytest.approx({"0": (dices["full"]["A"] + dices["full"]["B"]) / 2, "1": dices["full"]["C"]})
    assert result.leaky is not None
    assert result.leaky.dice.value == pytest.approx(0.75, abs=0.02)


def test_slices_are_judged_too(judged: tuple[LggSegmentation, dict[str, PatientDice]]) -> None:
    result, _ = judged
    assert result.slices_dice.slices == 4
    assert result.slices_dice.value == pytest.approx((1 + 0.5 + 1 + 1) / 4, abs=0.02)
    assert result.empty is not None
    assert result.empty.marked.value == pytest.approx(0.5)
    assert result.empty.marked_large.value == pytest.approx(0.5)


def test_distances_are_within_slices_of_both_borders(judged: tuple[LggSegmentation, dict[str, PatientDice]]) -> None:
    result, _ = judged
    assert result.hd95_px is not None
    assert result.hd95_px.groups == 3
    assert result.hd95_px.value == pytest.approx(40 / 3, rel=0.1)


def test_the_volumes_agreement(judged: tuple[LggSegmentation, dict[str, PatientDice]]) -> None:
    result, _ = judged
    assert result.agreement_px.unit == "px"
    assert result.agreement_px.differences[:3] == pytest.approx((0, 400 * PX, 0), abs=100)
    assert result.agreement_px.bias.value == pytest.approx(400 * PX / 3, abs=100)
    assert result.agreement_percent.differences[1] == pytest.approx(100 * 2 / 3, abs=1)


def test_variants_are_judged_on_the_same_patients(judged: tuple[LggSegmentation, dict[str, PatientDice]]) -> None:
    result, dices = judged
    assert [row.label for row in result.variants] == [VARIANT_LABELS[v] for v in ("full", "none", "shuffled", "flair")]
    assert dices["none"] == {"A": 0.0, "B": 0.0, "C": 0.0}
    assert dices["shuffled"] == dices["full"]


def test_an_arm_of_its_own_is_cut_by_the_default_networks_rule(made_root: Path) -> None:
    rules = {"0": Postprocessing(threshold=0.5, min_component_px=0)}
    found = arm_dice(predictions(SLICES[:4], "seg-film-unet-none"), made_root, IDENTITY, rules)
    assert found == pytest.approx({"A": 0.75, "B": 2 / 3}, abs=0.02)
    with pytest.raises(ValueError, match="no mask cut for fold 1"):
        arm_dice(predictions(SLICES, "seg-film-unet-none"), made_root, IDENTITY, rules)


def test_bland_altman_by_hand() -> None:
    names, true = np.array(["a", "b", "c", "d"]), np.array([100, 200, 300, 400])
    found = bland_altman(names, true + np.array([10, -10, 30, 10]), true, relative=False)
    assert found.bias.value == 10.0
    spread = 1.96 * np.std([10, -10, 30, 10], ddof=1)
    assert (found.lower_limit, found.upper_limit) == pytest.approx((10 - spread, 10 + spread))
    assert found.outside == 0.0
    assert found.means == (105.0, 195.0, 315.0, 405.0)
    relative = bland_altman(names, true, true * 3, relative=True)
    assert relative.differences == (-100.0, -100.0, -100.0, -100.0)
    assert (relative.lower_limit, relative.upper_limit) == (-100.0, -100.0)
    with pytest.raises(ValueError, match="two patients"):
        bland_altman(names[:1], true[:1], true[:1], relative=False)


def _arms(none: float, shuffled: float, spread: float = 0.01) -> dict[str, PatientDice]:
    """Forty patients; the other arms differ from the true record's by these amounts, give or take."""
    random = np.random.default_rng(1)
    base = random.uniform(0.6, 0.9, 40)
    noise = random.normal(0, spread, (2, 40))
    rows = {"full": base, "none": base + none + noise[0], "shuffled": base + shuffled + noise[1], "flair": base}
    return {name: {f"p{n}": float(v) for n, v in enumerate(values)} for name, values in rows.items()}


def test_a_record_that_helps_is_the_default() -> None:
    found = film_evidence(_arms(-0.05, -0.05))
    assert (found.verdict, found.default_variant) == ("helps", "full")
    assert found.same_network[0].difference.value == pytest.approx(0.05, abs=0.01)
    assert found.same_network[0].better > 0.9
    assert "The default reads the record" in found.sentence()


@pytest.mark.parametrize(
    ("none", "shuffled", "why"),
    [
        (0.0, 0.0, "no difference"),
        (-0.05, 0.0, "any record will do"),
        (0.0, -0.05, "none is as good"),
        (0.05, 0.05, ""),
    ],
)
def test_a_record_that_does_not_help_is_left_out(none: float, shuffled: float, why: str) -> None:
    found = film_evidence(_arms(none, shuffled))
    assert (found.verdict, found.default_variant) == ("does not help", "none")
    assert "empty record" in found.sentence()


def test_separate_trainings_may_contradict() -> None:
    same = _arms(-0.05, -0.05)
    agreeing = {"full": same["full"], "none": _arms(-0.02, 0)["none"]}
    assert film_evidence(same, agreeing).verdict == "helps"
    contradicting = {"full": same["full"], "none": _arms(0.02, 0)["none"]}
    found = film_evidence(same, contradicting)
    assert found.verdict == "does not help"
    assert found.trained[0].difference.value == pytest.approx(-0.02, abs=0.005)
    assert any("trained without records" in reason for reason in found.reasons)


def test_the_verdict_needs_three_arms_and_common_patients() -> None:
    arms = _arms(0, 0)
    with pytest.raises(ValueError, match="shuffled"):
        film_evidence({"full": arms["full"], "none": arms["none"]})
    with pytest.raises(ValueError, match="share no patient"):
        film_evidence({**arms, "none": {"other": 0.5}})
