"""Heat maps of networks whose reasons are known: a map that tells the truth, and one that does not."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from onnx import TensorProto, helper

from model_export.datasets.tumor_set import TumorSample
from model_export.evaluation.faithfulness import measure_faithfulness
from model_export.evaluation.faithfulness_parts import PARTS, HeatMapEvaluation
from model_export.evaluation.heat_map import Faithfulness
from model_export.evaluation.heat_map_cost import cost_of, measure_cost, without_map
from model_export.evaluation.occlusion import FRACTIONS, area_under, center_prior, curves, importance_order
from model_export.evaluation.rank_correlation import rank_correlation
from service_kit.contracts.common import TUMOR_LABELS
from service_kit.inference.preprocessing import Preprocessing
from tests.models.made_models import Arrays, published

GRID = Preprocessing(size=48, crop_head=False)
SIDE, STEP = 12, 4
GLIOMA, NO_TUMOR = TUMOR_LABELS.index("glioma"), TUMOR_LABELS.index("no_tumor")


def _spot(row: int, column: int) -> NDArray[np.uint8]:
    """A gray picture with a black rim, whose one bright position of the map's grid is at `row`, `column`."""
    image = np.full((48, 48), 100, np.uint8)
    image[:, 46:] = 0
    image[row * STEP : (row + 1) * STEP, column * STEP : (column + 1) * STEP] = 250
    return image


def _brightness(image: NDArray[np.generic]) -> NDArray[np.float32]:
    """The mean of each position `[N, 12, 12]` above 0.8 of full white."""
    scaled = np.asarray(image, np.float32)[:, 0].reshape(-1, SIDE, STEP, SIDE, STEP).mean(axis=(2, 4)) / 255
    return np.maximum(scaled - 0.8, 0.0).astype(np.float32)


def test_a_truthful_order_deletes_and_inserts_at_once() -> None:
    def judge(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        return (pictures[:, 8:12, 20:24].mean(axis=(1, 2)) > 200).astype(np.float64)

    heat = np.zeros((SIDE, SIDE))
    heat[2, 5] = 1.0
    deletion, insertion = curves(_spot(2, 5), importance_order(heat), SIDE, judge)
    assert deletion.tolist() == [1] + [0] * 7
    assert insertion.tolist() == [0] + [1] * 7
    last = curves(_spot(2, 5), importance_order(-heat), SIDE, judge)
    assert last[0].tolist() == [1] * 7 + [0]
    assert last[1].tolist() == [0] * 7 + [1]


def test_areas_by_hand() -> None:
    assert area_under(np.ones(len(FRACTIONS))) == pytest.approx(1.0)
    assert area_under(np.array(FRACTIONS)) == pytest.approx(0.5)
    assert area_under(np.array([1.0] + [0.0] * 7)) == pytest.approx(1 / 96)


def test_the_center_prior_is_symmetric_and_hottest_in_the_middle() -> None:
    prior = center_prior(5)
    assert prior.argmax() == 12
    assert np.allclose(prior, prior[::-1, ::-1])


def _samples(folder: Path, places: list[tuple[int, int]]) -> list[TumorSample]:
    samples = []
    for number, (row, column) in enumerate(places):
        path = folder / f"{number}.png"
        cv2.imwrite(str(path), (_spot(row, column) > 200).astype(np.uint8) * 255)
        samples.append(
            TumorSample(
                key=f"{number}",
                label="glioma",
                source="cheng",
                group=f"p{number}",
                main=True,
                load=lambda row=row, column=column: _spot(row, column),
                mask=path,
            )
        )
    return samples


def _view(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    count = len(arrays["image"])
    return {"logits": np.zeros((count, 3), np.float32), "features": np.zeros((count, 128), np.float32)}


def _honest(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """Glioma where any position is bright; its map is that position."""
    evidence = _brightness(arrays["image"])
    logits = np.zeros((len(evidence), 4), np.float32)
    logits[:, GLIOMA] = 200 * evidence.max(axis=(1, 2)) - 5
    cam = np.zeros((len(evidence), 4, SIDE, SIDE), np.float32)
    cam[:, GLIOMA] = evidence / np.maximum(evidence.sum(axis=(1, 2), keepdims=True), 1e-6)
    return {"logits": logits, "cam": cam}


def _lying(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """The same answers, but the map marks the opposite corner."""
    found = _honest(arrays)
    return {"logits": found["logits"], "cam": np.ascontiguousarray(found["cam"][:, :, ::-1, ::-1])}


def _measured(rule: object, folder: Path, places: list[tuple[int, int]]) -> Faithfulness:
    view = published("view", "view", _view, GRID, labels=("axial", "coronal", "sagittal"))
    tumor = published("tumor", "tumor", rule, GRID, labels=TUMOR_LABELS)  # type: ignore[arg-type]
    return measure_faithfulness(view, tumor, _samples(folder, places), curve_slices=8)


PLACES = [(0, 0), (1, 10), (9, 2), (11, 11), (2, 4)]


def test_a_map_that_tells_the_truth(tmp_path: Path) -> None:
    found = _measured(_honest, tmp_path, PLACES)
    heat = {row.label: row for row in found.pointing}["heat map"]
    assert (heat.hit.value, heat.inside.value) == (1.0, pytest.approx(1.0))
    chance = {row.label: row for row in found.pointing}["random"]
    assert chance.hit.value == chance.inside.value == pytest.approx(1 / 144)
    of = {row.label: row for row in found.curves}
    assert of["heat map"].deletion[0] > 0.9
    assert of["heat map"].deletion[1] < 0.3
    assert of["heat map"].insertion[1] > 0.9
    assert all(row.deletion.low > 0 and row.insertion.low > 0 for row in found.advantages)
    assert (found.slices, found.curve_slices, found.side) == (5, 5, SIDE)


def test_a_map_that_lies_is_found_out(tmp_path: Path) -> None:
    found = _measured(_lying, tmp_path, PLACES[1:])
    heat = {row.label: row for row in found.pointing}["heat map"]
    assert heat.hit.value == heat.inside.value == 0.0
    honest = _measured(_honest, tmp_path, PLACES[1:])
    assert _deletion_area(found) > _deletion_area(honest) + 0.1


def _deletion_area(found: Faithfulness) -> float:
    return {row.label: row for row in found.curves}["heat map"].deletion_area.value


def test_without_a_tumor_answer_there_is_nothing_to_judge(tmp_path: Path) -> None:
    def none(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
        found = _honest(arrays)
        found["logits"][:, NO_TUMOR] = 1000
        return found

    with pytest.raises(ValueError, match="called a tumor"):
        _measured(none, tmp_path, PLACES)


def test_rank_correlation_by_hand() -> None:
    ranks = np.arange(9.0).reshape(3, 3)
    assert rank_correlation(ranks, ranks**3) == pytest.approx(1.0)
    assert rank_correlation(ranks, -ranks) == pytest.approx(-1.0)
    assert np.isnan(rank_correlation(ranks, np.zeros((3, 3))))
    with pytest.raises(ValueError, match="ranks"):
        rank_correlation(ranks, np.zeros((2, 2)))


def test_agreement_with_grad_cam_is_reported_by_layer(tmp_path: Path) -> None:
    view = published("view", "view", _view, GRID, labels=("axial", "coronal", "sagittal"))
    tumor = published("tumor", "tumor", _honest, GRID, labels=TUMOR_LABELS)

    def maps(image: NDArray[np.uint8], features: NDArray[np.float32], label: int) -> dict[str, NDArray[np.floating]]:
        assert (image.shape, features.shape, label) == ((1, 48, 48), (128,), GLIOMA)
        return {"same": _brightness(image[None])[0], "flat" if image[0, 0, 0] > 200 else "same": np.zeros((12, 12))}

    with pytest.raises(ValueError, match="flat on every slice"):
        measure_faithfulness(view, tumor, _samples(tmp_path, [(0, 0)]), grad_cam=maps)

    found = measure_faithfulness(
        view, tumor, _samples(tmp_path, PLACES), grad_cam=lambda image, *_: {"same": _brightness(image[None])[0]}
    )
    (row,) = found.agreements
    assert (row.layer, row.flat) == ("same", 0)
    assert row.correlation.value == pytest.approx(1.0)


def _classifier(path: Path) -> None:
    """features -> logits = features; cam = the image, squared."""
    graph = helper.make_graph(
        [
            helper.make_node("Identity", ["view_features"], ["logits"]),
            helper.make_node("Cast", ["image"], ["gray"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["gray", "gray"], ["cam"]),
        ],
        "made",
        [
            helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 1, 4, 4]),
            helper.make_tensor_value_info("view_features", TensorProto.FLOAT, ["n", 4]),
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 4]),
            helper.make_tensor_value_info("cam", TensorProto.FLOAT, ["n", 1, 4, 4]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))


def test_the_graph_without_the_map_has_nothing_of_it(tmp_path: Path) -> None:
    _classifier(tmp_path / "a.onnx")
    without_map(tmp_path / "a.onnx", tmp_path / "b.onnx")
    graph = onnx.load(str(tmp_path / "b.onnx")).graph
    assert [value.name for value in graph.output] == ["logits"]
    assert [node.op_type for node in graph.node] == ["Identity"]
    with pytest.raises(ValueError, match="no output cam"):
        without_map(tmp_path / "b.onnx", tmp_path / "c.onnx")


def test_the_cost_is_the_median_share_of_paired_rounds() -> None:
    found = cost_of(np.array([[0.010, 0.011], [0.020, 0.021], [0.010, 0.0102]]))
    assert found.share == pytest.approx(0.05)
    assert (found.without_map_ms, found.with_map_ms) == pytest.approx((10.0, 11.0))
    assert found.low <= found.share <= found.high


def test_rounds_are_interleaved(tmp_path: Path) -> None:
    """The clock says when it was asked: each run takes one tick, so that neither graph is the dearer one."""
    _classifier(tmp_path / "a.onnx")
    ticks = iter(range(1000))
    found = measure_cost(
        tmp_path / "a.onnx",
        np.zeros((1, 4, 4), np.uint8),
        np.zeros(4, np.float32),
        rounds=6,
        clock=lambda: float(next(ticks)),
    )
    assert found.rounds == 6
    assert next(ticks) == 24
    assert found.share == 0.0


def test_the_chapter_is_shown_from_the_stored_result(tmp_path: Path) -> None:
    cost = cost_of(np.array([[0.010, 0.0101], [0.010, 0.0102]]))
    result = HeatMapEvaluation(faithfulness=_measured(_honest, tmp_path, PLACES), cost=cost)
    section = PARTS[0].shown(result.model_dump(mode="json"))
    (target,) = section.targets
    assert target.met
    assert target.value == pytest.approx(0.015)
    assert section.cards["tumor"].summary["heat map: share of the classifier's time"] == pytest.approx(0.015)
    figure = section.charts[0].draw()
    assert [axes.get_title(loc="left") for axes in figure.get_axes()] == ["deletion", "insertion"]
    plt.close(figure)
