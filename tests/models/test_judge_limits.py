"""The verdict's limits, fitted on findings whose figures are known by hand, and on tiny networks."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from model_export.cli import app
from model_export.evaluation.contradictions import Finding, extent_of, on_the_picture
from model_export.evaluation.judge_limits import Confidence, confidence, fit, lower_limit
from model_export.evaluation.sella import MARGIN, bounding_region, measure_sella
from service_kit.inference.manifest import ModelManifest
from service_kit.inference.preprocessing import Placement
from service_kit.inference.region import Region
from service_kit.testing import tiny_repository
from tests.models.made_sets import Made, square, write_t1

_ONNX = {"UINT8": "UINT8", "FP32": "FLOAT"}
SELLA = {"axial": Region(top=0.4, bottom=0.6, left=0.4, right=0.6)}


def finding(label: str, truth: str | None = None, fold: int = 0, **changes: object) -> Finding:
    fields = {"group": "g", "view": "axial", "head_share": 0.1, "place": (0.5, 0.5), "heat_share": 0.9}
    fields |= {"probability": 0.9, "alone": True, **changes}
    return Finding(fold=fold, truth=truth or label, label=label, **fields)  # type: ignore[arg-type]


def clear(shares: Sequence[float], truth: str = "no_tumor", fold: int = 0) -> list[Finding]:
    return [finding("no_tumor", truth, fold, head_share=share) for share in shares]


def test_the_limit_leaves_one_right_answer_in_a_hundred_below_it() -> None:
    values = np.arange(200) / 1000
    assert lower_limit(values) == 0.002
    assert np.mean(values < lower_limit(values)) == 0.01
    assert lower_limit(values[:50] + 0.12345) == 0.1234


def test_each_check_counts_what_it_sends_to_a_reader() -> None:
    findings = [
        *clear([0.0] * 198 + [0.03, 0.04]),
        *clear([0.0, 0.2, 0.3, 0.01], truth="glioma"),
        *[finding("glioma", heat_share=0.5 + number / 1000) for number in range(100)],
        finding("glioma", "meningioma", heat_share=0.1),
        finding("meningioma", "glioma", heat_share=0.9),
        finding("glioma", heat_share=None, place=None),
        finding("pituitary", place=(0.5, 0.45)),
        finding("pituitary", place=(0.9, 0.5)),
        finding("pituitary", "glioma", place=(0.1, 0.5)),
        finding("pituitary", "glioma", place=(0.1, 0.5), view=None),
    ]
    limits, checks = fit(findings, SELLA)
    assert limits.max_share_without_tumor == 0.0
    assert (checks["mask_without_tumor"].right, checks["mask_without_tumor"].right_flagged) == (200, 0.01)
    assert (checks["mask_without_tumor"].wrong, checks["mask_without_tumor"].wrong_flagged) == (4, 0.75)
    assert limits.min_heat_share == 0.501
    assert (checks["heat_off_mask"].right, checks["heat_off_mask"].wrong) == (102, 4)
    assert checks["heat_off_mask"].wrong_flagged == 0.25
    assert checks["heat_off_mask"].right_flagged_cross_fitted is None
    off = checks["pituitary_off_sella"]
    assert (off.right, off.right_flagged, off.wrong, off.wrong_flagged) == (2, 0.5, 1, 1.0)


def test_a_fold_is_judged_by_the_limit_of_the_others() -> None:
    tumors = [finding("glioma", fold=fold, heat_share=0.4 + fold / 10) for fold in (0, 1) for _ in range(10)]
    limits, checks = fit([*clear([0.0] * 5), *clear([0.0] * 5, fold=1), *tumors], SELLA)
    assert limits.min_heat_share == 0.4
    assert checks["heat_off_mask"].right_flagged == 0
    assert checks["heat_off_mask"].right_flagged_cross_fitted == 0.5


def test_what_a_least_probability_answers_and_how_much_of_it_is_wrong() -> None:
    findings = [
        *[finding("glioma", probability=0.95) for _ in range(6)],
        finding("glioma", probability=0.99, alone=False),
        finding("glioma", probability=0.8),
        finding("glioma", "meningioma", probability=0.8),
        finding("glioma", "meningioma", probability=0.7),
    ]
    assert confidence(findings, 0.0) == Confidence(min_probability=0.0, answered=0.9, wrong=0.2222)
    assert confidence(findings, 0.8) == Confidence(min_probability=0.8, answered=0.8, wrong=0.125)
    assert confidence(findings, 0.81) == Confidence(min_probability=0.81, answered=0.6, wrong=0.0)


def test_without_a_right_answer_nothing_is_fitted() -> None:
    with pytest.raises(ValueError, match="no right answer"):
        fit([*clear([0.1], truth="glioma"), finding("glioma")], SELLA)


def test_a_region_leaves_the_tails_out_and_is_widened() -> None:
    places = np.stack([np.linspace(0.4, 0.6, 1001), np.linspace(0.3, 0.5, 1001)], axis=1)
    region = bounding_region(places, 0.01)
    assert region.top == pytest.approx(0.4005 - MARGIN, abs=6e-4)
    assert region.right == pytest.approx(0.4995 + MARGIN, abs=6e-4)
    assert bounding_region(np.array([[0.01, 0.5], [0.99, 0.5]]), 0.01).top == 0


def made(label: str, view: str, truth: tuple[int, int] | None) -> Made:
    outline = square(0, 0, 0) if truth is None else square(*truth, 6)
    return Made(f"{label}-{view}-{truth}", 0, label, outline, outline * 255, view=view)


@pytest.fixture(scope="module")
def made_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    views = ("axial", "coronal", "sagittal")
    slices = [made("pituitary", view, (30, 28)) for view in views]
    slices += [made("glioma", view, (4, 4)) for view in views]
    slices += [made("glioma", view, (30, 30)) for view in views]
    slices += [replace(made("glioma", "", (20, 20)), group=f"g{number}") for number in range(10)]
    slices += [replace(made("no_tumor", "", None), group=f"n{number}") for number in range(10)]
    write_t1(root, slices)
    return root


def test_the_sella_is_where_the_outlines_are(made_root: Path) -> None:
    found = measure_sella(made_root, 0.01)
    assert found.keys() == {"axial", "coronal", "sagittal"}
    for view in found.values():
        assert (view.outlines, view.outside, view.other_outlines) == (1, 0, 2)
        assert view.other_outside == view.mirrored_outside == 0.5
        assert view.region.bottom - view.region.top == pytest.approx(2 * MARGIN, abs=2e-3)


def test_a_map_is_shown_as_the_service_shows_it() -> None:
    placement = Placement(100, 80, (10, 20, 40, 20), (0, 16, 64, 32))
    cam = np.ones((4, 4), np.float32)
    cam[1, 1] = -5
    shown = on_the_picture(cam, placement, 64)
    assert shown[:, [0, 3]].max() == 0
    assert shown[1, 1] == 0
    assert shown[0, 1] == 1
    assert extent_of(placement, 64) == (10, 10, 40, 40)


def bright_is_glioma(models: Path) -> None:
    """Replace the tumor model: glioma where a pixel is bright, else no tumor; the map is the mean gray."""
    manifest = ModelManifest.load(models / "tumor")
    nodes = [
        helper.make_node("Cast", ["image"], ["gray"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["gray", "axes"], ["brightest"], keepdims=0),
        helper.make_node("Mul", ["brightest", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "start"], ["logits"]),
        helper.make_node("AveragePool", ["gray"], ["pooled"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Concat", ["pooled"] * 4, ["cam"], axis=1),
    ]
    weights = {
        "axes": np.array([2, 3], np.int64),
        "slope": np.array([[1, 0, 0, 0]], np.float32),
        "start": np.array([[-100, -9, 0, -9]], np.float32),
    }
    specs = [
        helper.make_tensor_value_info(spec.name, getattr(TensorProto, _ONNX[spec.dtype]), ["n", *spec.shape[1:]])
        for spec in manifest.inputs
    ]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 4]),
        helper.make_tensor_value_info("cam", TensorProto.FLOAT, ["n", 4, 4, 4]),
    ]
    initializers = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "bright", specs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    content = model.SerializeToString()
    (models / "tumor" / manifest.file).write_bytes(content)
    manifest.model_copy(update={"sha256": hashlib.sha256(content).hexdigest()}).dump(models / "tumor")


def test_the_command_writes_the_limits_and_their_figures(made_root: Path, tmp_path: Path) -> None:
    models = tiny_repository(tmp_path / "models")
    bright_is_glioma(models)
    out, fitted = tmp_path / "docs" / "judge.json", tmp_path / "fitted.json"
    places = ["--cache", str(tmp_path / "none"), "--models", str(models), "--out", str(out), "--fitted", str(fitted)]
    answer = CliRunner().invoke(app, ["judge-limits", "--data", str(made_root), *places, "--threads", "1"])
    assert answer.exit_code == 0, answer.output
    result = json.loads(out.read_text("utf-8"))
    assert result["limits"] == json.loads(fitted.read_text("utf-8"))
    assert result["origin"].startswith("published networks")
    page = out.with_suffix(".md").read_text("utf-8")
    assert f"| `min_heat_share` | {result['limits']['min_heat_share']} |" in page
    assert "| sagittal |" in page
    answered = [row["answered"] for row in result["confidence"]]
    assert answered == sorted(answered, reverse=True)
    assert result["networks"].keys() == {"0/view", "0/tumor", "0/seg-t1"}
    assert set(result["checks"]) == {"mask_without_tumor", "heat_off_mask", "pituitary_off_sella"}
    assert result["checks"]["heat_off_mask"]["right"] + result["checks"]["mask_without_tumor"]["right"] > 0
