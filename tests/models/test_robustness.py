"""Distortions do what their names say, and what they cost is measured on networks whose answers are known."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from model_export.evaluation.distortions import (
    DISTORTIONS,
    rotated,
    shrunk,
    with_bias_field,
    with_gamma,
    with_jpeg,
    with_rician_noise,
)
from model_export.evaluation.metrics import dice
from model_export.evaluation.robustness import FIGURES, Networks, measure_robustness
from model_export.evaluation.robustness_parts import PARTS
from model_export.evaluation.robustness_set import LggPictures, T1Slice, stratified
from service_kit.contracts.common import TUMOR_LABELS, VIEW_LABELS
from service_kit.inference.preprocessing import Preprocessing
from tests.models.made_models import Arrays, published

GRID = Preprocessing(size=64, crop_head=False)
SIDE = 128


def _picture(top: int, left: int, side: int = 40) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    truth = np.zeros((SIDE, SIDE), np.uint8)
    truth[top : top + side, left : left + side] = 1
    return 60 + 120 * truth, truth


def _random() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("name", [d.name for d in DISTORTIONS.values() if d.kind == "geometry"])
def test_the_truth_goes_where_the_tumor_goes(name: str) -> None:
    pixels, truth = _picture(20, 60)
    changed = DISTORTIONS[name].change(pixels, _random())
    moved = DISTORTIONS[name].truth(truth)
    assert changed.shape == moved.shape
    assert set(np.unique(moved)) == {0, 1}
    assert dice(changed > 120, moved) > 0.97
    assert moved.sum() == pytest.approx(truth.sum(), rel=0.03)


def test_a_turn_by_a_right_angle_is_exact_and_nothing_is_cut_off() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8)
    assert np.array_equal(rotated(pixels, 90.0), np.rot90(pixels))
    assert rotated(pixels, 15.0).shape == (round(40 * 0.9659 + 60 * 0.2588), round(60 * 0.9659 + 40 * 0.2588))
    assert np.array_equal(DISTORTIONS["upside down (180 degrees)"].change(pixels, _random()), pixels[::-1, ::-1])
    assert np.array_equal(DISTORTIONS["mirrored"].change(pixels, _random()), pixels[:, ::-1])


def test_gamma_by_hand() -> None:
    levels = np.array([[0, 64, 255]], np.uint8)
    assert with_gamma(levels, 1.0).tolist() == [[0, 64, 255]]
    assert with_gamma(levels, 0.5).tolist() == [[0, 128, 255]]


def test_noise_has_ricians_floor_and_comes_from_its_seed() -> None:
    black = np.zeros((200, 200), np.uint8)
    found = with_rician_noise(black, 0.1, _random())
    assert found.mean() == pytest.approx(25.5 * np.sqrt(np.pi / 2), rel=0.02)
    assert np.array_equal(found, with_rician_noise(black, 0.1, _random()))


def test_a_bias_field_is_smooth_and_bounded() -> None:
    flat = np.full((90, 90), 100, np.uint8)
    found = with_bias_field(flat, 0.5, _random()).astype(float)
    assert 100 * np.exp(-0.5) - 1 <= found.min() < found.max() <= 100 * np.exp(0.5) + 1
    assert np.abs(np.diff(found, axis=0)).max() <= 6


def test_jpeg_and_shrinking() -> None:
    pixels, _ = _picture(20, 60)
    coarse = np.abs(with_jpeg(pixels, 15).astype(int) - pixels).mean()
    assert 0 < coarse < 6
    assert np.abs(with_jpeg(pixels, 95).astype(int) - pixels).mean() < coarse
    assert shrunk(np.zeros((256, 128), np.uint8), 64).shape == (64, 32)


def test_a_sample_has_something_of_every_stratum() -> None:
    strata = ["a"] * 90 + ["b"] * 8 + ["c"] * 2
    chosen = stratified(strata, 20, seed=4)
    counts = {name: sum(strata[position] == name for position in chosen) for name in "abc"}
    assert counts == {"a": 18, "b": 3, "c": 2}
    assert chosen == stratified(strata, 20, seed=4) != stratified(strata, 20, seed=5)


def _view(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """Axial where the upper half is the brighter one, else coronal."""
    image = np.asarray(arrays["image"], np.float32)[:, 0]
    top = image[:, :32].mean(axis=(1, 2)) >= image[:, 32:].mean(axis=(1, 2))
    logits = np.stack([top, ~top, np.zeros_like(top)], axis=1).astype(np.float32)
    return {"logits": logits, "features": np.zeros((len(image), 128), np.float32)}


def _tumor(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """Glioma where the left half has more of the bright pixels, else no tumor."""
    image = np.asarray(arrays["image"])[:, 0] > 127
    left = image[:, :, :32].sum(axis=(1, 2)) > image[:, :, 32:].sum(axis=(1, 2))
    logits = np.zeros((len(image), len(TUMOR_LABELS)), np.float32)
    logits[np.arange(len(image)), np.where(left, TUMOR_LABELS.index("glioma"), TUMOR_LABELS.index("no_tumor"))] = 1
    return {"logits": logits}


def _bright(channel: int) -> object:
    return lambda arrays: {"probabilities": (arrays["image"][:, channel : channel + 1] > 127).astype(np.float32)}


@pytest.fixture
def networks() -> Networks:
    return Networks(
        view=published("view", "view", _view, GRID, labels=VIEW_LABELS),
        tumor=published("tumor", "tumor", _tumor, GRID, labels=TUMOR_LABELS),
        seg_t1=published("seg-t1", "segmentation", _bright(0), GRID, labels=("tumor",)),
        film=published(
            "seg-flair-film",
            "segmentation",
            _bright(1),
            GRID,
            labels=("tumor",),
            sequences=("t1", "flair", "t1ce"),
            clinical_features=("a",),
            clinical_default=(0.5,),
        ),
    )


@pytest.fixture
def slices() -> list[T1Slice]:
    made = []
    for number in range(4):
        pixels, truth = _picture(10, 10 + 2 * number)
        made.append(T1Slice(f"t{number}", pixels, truth, "glioma", "axial", f"p{number}"))
    flat = np.full((SIDE, SIDE), 60, np.uint8)
    flat[10:50, 80:120] = 180
    made.append(T1Slice("n", flat, None, "no_tumor", None, "n"))
    return made


@pytest.fixture
def lgg() -> list[LggPictures]:
    pixels, truth = _picture(30, 30)
    other = np.zeros_like(pixels)
    return [LggPictures("s", {"t1": other, "flair": pixels, "t1ce": other}, truth, "A")]


def test_what_distortions_cost(networks: Networks, slices: list[T1Slice], lgg: list[LggPictures]) -> None:
    told: list[str] = []
    names = ("none", "upside down (180 degrees)", "mirrored", "gamma 1.6", "64 px")
    found = measure_robustness(networks, slices, lgg, distortions=[DISTORTIONS[n] for n in names], report=told.append)
    assert (found.slices, found.lgg_slices) == (5, 1)
    assert {name: estimate.value for name, estimate in found.clean.items()} == pytest.approx(
        dict.fromkeys(FIGURES, 1.0)
    )
    assert found.clean["view accuracy"].slices == 4
    assert found.clean["seg-t1 Dice"].slices == 4
    rows = {row.distortion: row for row in found.rows}
    assert set(rows) == set(names[1:])
    assert len(told) == 4
    turned = {name: change.value for name, change in rows["upside down (180 degrees)"].changes.items()}
    expected = dict(zip(FIGURES, (-1.0, -1.0, -1.0, 0.0, 0.0), strict=True))
    assert turned == pytest.approx(expected)
    mirrored = rows["mirrored"]
    assert mirrored.values["view accuracy"] == 1.0
    assert mirrored.values["tumor macro-F1"] == 0.0
    assert rows["gamma 1.6"].changes["tumor accuracy"].value == 0.0
    assert rows["64 px"].changes["seg-t1 Dice"].value == pytest.approx(0.0, abs=0.02)
    section = PARTS[0].shown(found.model_dump(mode="json"))
    assert set(section.cards) == {"view", "tumor", "seg-t1", "seg-flair-film"}
    assert "view accuracy: upside down (180 degrees) (-1.000)" in section.intro[1]
    figure = section.charts[0].draw()
    assert len(figure.get_axes()) == len(FIGURES)
    plt.close(figure)


def test_without_the_film_model_its_figure_is_left_out(
    networks: Networks, slices: list[T1Slice], lgg: list[LggPictures]
) -> None:
    alone = Networks(networks.view, networks.tumor, networks.seg_t1, None)
    found = measure_robustness(alone, slices, lgg, distortions=[DISTORTIONS["mirrored"]])
    assert found.lgg_slices == 0
    assert set(found.clean) == set(found.rows[0].changes) == set(FIGURES[:4])


def test_noise_is_the_same_on_every_run(networks: Networks, slices: list[T1Slice]) -> None:
    alone = Networks(networks.view, networks.tumor, networks.seg_t1, None)
    runs = [measure_robustness(alone, slices, [], distortions=[DISTORTIONS["noise 10 %"]], seed=s) for s in (1, 1)]
    assert runs[0] == runs[1]
