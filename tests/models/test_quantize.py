"""8-bit variants of tiny networks: what is quantized, what is judged, when one is published and when not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from model_export.card import ModelCard
from model_export.engine import OnnxModel
from model_export.evaluation.ground import GroundSlice
from model_export.parity import Parity
from model_export.quantization.graph import float_nodes, quantize_graph
from model_export.quantization.ground import Ground
from model_export.quantization.judgement import judge
from model_export.quantization.page import speed_page
from model_export.quantization.publishing import publish_variant
from model_export.quantization.recipe import QuantizationRecipe
from model_export.quantization.result import VariantResult, VariantResults, objections
from model_export.quantization.timing import open_session, race
from model_export.quantization.variant import Places, is_current, make_variant
from service_kit.contracts.common import StageName
from service_kit.inference.manifest import ModelManifest, Postprocessing, TensorSpec, Training, sha256_of
from service_kit.inference.preprocessing import Preprocessing
from service_kit.inference.repository import ModelRepository

SIZE, GROUPS, EACH = 32, 20, 3
RECIPE = QuantizationRecipe(pictures=12)
Edit = Callable[[Path], None]


def weights(name: str, *shape: int) -> onnx.TensorProto:
    random = np.random.default_rng(len(name) + sum(shape))
    return numpy_helper.from_array((random.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32), name)


def write_network(path: Path, stage: StageName) -> None:
    """Two convolutions; then a mean and a linear head (view), or a third and a sigmoid (segmentation)."""
    nodes = [
        helper.make_node("Cast", ["image"], ["cast"], name="cast", to=TensorProto.FLOAT),
        helper.make_node("Div", ["cast", "half"], ["scaled"], name="scale"),
        helper.make_node("Conv", ["scaled", "first_weight"], ["first"], name="first", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["first"], ["first_active"], name="first_active"),
        helper.make_node("Conv", ["first_active", "second_weight"], ["second"], name="second", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["second"], ["second_active"], name="second_active"),
        helper.make_node("Add", ["second_active", "first_active"], ["sum"], name="sum"),
    ]
    constants = [numpy_helper.from_array(np.float32(127.5), "half"), weights("first_weight", 8, 1, 3, 3)]
    constants.append(weights("second_weight", 8, 8, 3, 3))
    if stage == "view":
        nodes += [
            helper.make_node("Conv", ["sum", "third_weight"], ["third"], name="third"),
            helper.make_node("GlobalAveragePool", ["third"], ["pooled"], name="pooled"),
            helper.make_node("Flatten", ["pooled"], ["flat"], name="flat"),
            helper.make_node("Gemm", ["flat", "head"], ["logits"], name="head"),
        ]
        constants += [weights("third_weight", 8, 8, 1, 1), weights("head", 8, 3)]
        output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])
    else:
        nodes += [
            # Brighter than half is tumor, with a little of everything else.
            helper.make_node("Conv", ["sum", "third_weight"], ["third"], name="third"),
            helper.make_node("Mul", ["third", "little"], ["some"], name="some"),
            helper.make_node("Sub", ["scaled", "one"], ["shifted"], name="shifted"),
            helper.make_node("Mul", ["shifted", "steep"], ["strong"], name="strong"),
            helper.make_node("Add", ["strong", "some"], ["mixed"], name="mixed"),
            helper.make_node("Sigmoid", ["mixed"], ["probabilities"], name="sigmoid"),
        ]
        constants += [weights("third_weight", 1, 8, 1, 1), numpy_helper.from_array(np.float32(1), "one")]
        constants += [numpy_helper.from_array(np.float32(v), n) for n, v in (("little", 0.3), ("steep", 12))]
        output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 1, SIZE, SIZE])
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 1, SIZE, SIZE])
    graph = helper.make_graph(nodes, "tiny", [image], [output], constants)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


def write_folder(folder: Path, name: str, stage: StageName) -> None:
    path = folder / name / "1" / "model.onnx"
    write_network(path, stage)
    model = OnnxModel(path)
    ModelManifest(
        name=name,
        version="1.0.0",
        stage=stage,
        title="Tiny",
        architecture="three convolutions",
        precision="fp32",
        sha256=sha256_of(path),
        inputs=model.inputs(),
        outputs=model.outputs(),
        labels=("axial", "coronal", "sagittal") if stage == "view" else ("tumor",),
        sequences=() if stage == "view" else ("t1ce",),
        preprocessing=Preprocessing(size=SIZE, crop_head=False, lower_percentile=0, upper_percentile=100),
        postprocessing=Postprocessing() if stage == "segmentation" else None,
        training=Training(command="none", seed=0, config={}, dataset="none", groups_sha256="0" * 64, groups={}),
    ).dump(folder / name)
    ModelCard(
        name=name,
        version="1.0.0",
        title="Tiny",
        intended_use="tests",
        notice="none",
        architecture="three convolutions",
        parameters=1,
        file_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        training_sets="none",
        licences=(),
        training_counts={},
        groups={},
        protocol="none",
        config={},
        seed=0,
        metrics={"accuracy": 1.0},
        limits=("tiny",),
        verification=Parity(batches=(1,), max_probability_difference=0, max_output_difference=0, passed=True),
        reproduce=("none",),
    ).dump(folder / name)


def pictures() -> NDArray[np.uint8]:
    """Discs of many sizes and brightnesses on dark ground."""
    random = np.random.default_rng(3)
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    found = []
    for _ in range(GROUPS * EACH):
        inside = np.hypot(y - random.uniform(10, 22), x - random.uniform(10, 22)) < random.uniform(4, 10)
        found.append(np.where(inside, random.integers(150, 256), random.integers(0, 90, (SIZE, SIZE))))
        found[-1][0, 0], found[-1][0, 1] = 0, 255
    return np.stack(found)[:, None].astype(np.uint8)


def ground(model: OnnxModel, stage: StageName, *, index: int = 0) -> Ground:
    """Slices of which the fp32 network is right about everything; the last quarter of the groups is the test side."""
    images = pictures()
    groups = tuple(f"g{at // EACH:02d}" for at in range(len(images)))
    cut = GROUPS * 3 // 4 * EACH
    train, test = np.arange(cut), np.arange(cut, len(images))
    keys = tuple(f"s{at}" for at in range(len(images)))
    if stage == "view":
        truth = model.run({"image": images})["logits"].argmax(axis=1)
        return Ground({"image": images}, keys, groups, train, test, classes=truth)
    masks = (model.run({"image": images})["probabilities"][:, 0] >= 0.5).astype(np.uint8)
    outlines = {
        key: GroundSlice(group, index, lambda at=at: (images[at, 0], masks[at]))  # type: ignore[misc]
        for at, (key, group) in enumerate(zip(keys, groups, strict=True))
    }
    return Ground({"image": images}, keys, groups, train, test, outlines=outlines)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = Places(tmp_path / "sets", tmp_path / "cache", tmp_path / "models")
    for folder in (found.models, found.held_out):
        write_folder(folder, "view", "view")
        write_folder(folder, "seg-t1", "segmentation")
    return found


def variant(places: Places, name: str, stage: StageName, said: list[str] | None = None) -> VariantResult:
    network = OnnxModel(places.models / name / "1" / "model.onnx")
    report = [].append if said is None else said.append
    return make_variant(
        name, places, report, recipe=RECIPE, ground_of=lambda _manifest, _models: ground(network, stage)
    )


def damage(path: Path) -> None:
    """What quantization does at its worst: the weights of one convolution are lost, or a limit is shifted."""
    model = onnx.load(path)
    for constant in model.graph.initializer:
        if constant.name.startswith("third_weight") and constant.data_type == TensorProto.INT8:
            constant.CopyFrom(numpy_helper.from_array(np.zeros(tuple(constant.dims), np.int8), constant.name))
        if constant.name == "one":
            constant.CopyFrom(numpy_helper.from_array(np.float32(0.4), "one"))
    onnx.save(model, path)


def operators(path: Path) -> set[str]:
    return {node.op_type for node in onnx.load(path).graph.node}


@pytest.mark.parametrize(("stage", "kept"), [("view", {"head", "flat", "pooled"}), ("segmentation", {"sigmoid"})])
def test_tail_and_preprocessing_stay_float(tmp_path: Path, stage: StageName, kept: set[str]) -> None:
    write_network(tmp_path / "model.onnx", stage)
    graph = onnx.load(tmp_path / "model.onnx").graph
    found = float_nodes(graph, RECIPE)
    assert kept | {"cast", "scale"} <= found | {n.name for n in graph.node if n.op_type in {"Cast", "Div", "Flatten"}}
    assert not {"first", "first_active", "second", "second_active", "sum"} & found
    assert float_nodes(graph, QuantizationRecipe(float_first=True)) >= {"first", "first_active"}
    last = float_nodes(graph, QuantizationRecipe(float_last=1))
    assert last >= {"third", "sum"}
    assert not last & {"second", "second_active"}
    assert float_nodes(graph, QuantizationRecipe(float_last=2)) >= {"second", "second_active"}


def test_what_mixes_in_another_input_stays_float() -> None:
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["maps"], name="conv"),
        helper.make_node("Gemm", ["clinical", "v"], ["scale"], name="gemm"),
        helper.make_node("Add", ["maps", "scale"], ["film"], name="film"),
        helper.make_node("Add", ["film", "maps"], ["sum"], name="sum"),
        helper.make_node("Conv", ["sum", "w"], ["out"], name="last"),
    ]
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 1]) for n in ("image", "clinical")]
    graph = helper.make_graph(nodes, "film", inputs, [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)])
    assert float_nodes(graph, RECIPE) == {"gemm", "film"}


@pytest.mark.parametrize("ranges", ["widest", "mean"])
def test_quantized_network_answers_alike(tmp_path: Path, ranges: Any) -> None:
    source, target = tmp_path / "model.onnx", tmp_path / "new" / "int8.onnx"
    write_network(source, "view")
    recipe = QuantizationRecipe(ranges=ranges, pictures=12)
    images = pictures()
    quantize_graph(source, target, ({"image": images[at : at + 1]} for at in range(12)), recipe)
    assert {"QuantizeLinear", "DequantizeLinear", "Conv"} <= operators(target)
    before, after = OnnxModel(source), OnnxModel(target)
    assert (after.inputs(), after.outputs()) == (before.inputs(), before.outputs())
    left, right = (model.run({"image": images})["logits"] for model in (before, after))
    assert np.abs(left - right).max() < 0.1 * np.abs(left).max()
    assert np.abs(left - right).max() > 0


def test_graph_without_a_convolution_is_refused(tmp_path: Path) -> None:
    write_network(tmp_path / "model.onnx", "view")
    model = onnx.load(tmp_path / "model.onnx")
    for node in model.graph.node:
        if node.op_type == "Conv":
            node.op_type = "Identity"
            del node.input[1:], node.attribute[:]
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="no convolution to quantize"):
        quantize_graph(tmp_path / "model.onnx", tmp_path / "int8.onnx", [], RECIPE)


@pytest.mark.parametrize("count", [5, 15, 40, 1000])
def test_calibration_never_touches_test_groups(places: Places, count: int) -> None:
    found = ground(OnnxModel(places.models / "view" / "1" / "model.onnx"), "view")
    chosen = found.calibration(count, seed=1)
    tested = {found.groups[at] for at in found.test}
    assert not {found.groups[at] for at in chosen} & tested
    assert len(chosen) == min(count, len(found.train)) == len(set(chosen.tolist()))
    assert len({found.groups[at] for at in chosen}) == min(count, len({found.groups[at] for at in found.train}))
    np.testing.assert_array_equal(chosen, found.calibration(count, seed=1))
    assert [feed["image"].shape for feed in found.feeds(chosen[:2])] == [(1, 1, SIZE, SIZE)] * 2


def test_group_on_both_sides_is_refused() -> None:
    images = np.zeros((2, 1, SIZE, SIZE), np.uint8)
    with pytest.raises(ValueError, match="1 groups are on both sides"):
        Ground({"image": images}, ("a", "b"), ("one", "one"), np.array([0]), np.array([1]))


@pytest.mark.parametrize(
    ("name", "stage", "metric"), [("view", "view", "accuracy"), ("seg-t1", "segmentation", "dice")]
)
def test_variant_that_loses_nothing_passes(places: Places, name: str, stage: StageName, metric: str) -> None:
    said: list[str] = []
    result = variant(places, name, stage, said)
    assert said
    assert result.held_out.metric == metric
    assert result.held_out.fp32 == 1.0
    assert result.held_out.passed
    assert result.published.passed
    assert not result.published_saw_test
    assert result.held_out.agreement == pytest.approx(result.held_out.variant, abs=1e-6)
    assert (result.calibration_pictures, result.calibration_groups) == (12, 12)
    assert [timing.label for timing in result.races.timings] == ["fp32", "int8"]
    # A network this small saves nothing: that alone may speak against it.
    assert all("saves too little" in reason for reason in result.reasons)


@pytest.mark.parametrize(("name", "stage"), [("view", "view"), ("seg-t1", "segmentation")])
@pytest.mark.parametrize("index", [0, 1])
def test_variant_that_loses_fails(places: Places, name: str, stage: StageName, index: int) -> None:
    source, broken = places.models / name / "1" / "model.onnx", places.cache / "broken.onnx"
    fp32 = OnnxModel(source)
    on = ground(fp32, stage, index=index)
    quantize_graph(source, broken, on.feeds(on.calibration(12, 0)), RECIPE)
    manifest = ModelManifest.load(places.models / name)
    assert judge(manifest, fp32, OnnxModel(broken), on).passed
    damage(broken)
    judged = judge(manifest, fp32, OnnxModel(broken), on)
    assert judged.fp32 == 1.0
    assert not judged.passed
    assert judged.loss.value == pytest.approx(judged.fp32 - judged.variant)
    assert judged.loss.low <= judged.loss.value <= judged.loss.high
    result = variant(places, name, stage)
    assert any("on held-out slices" in reason for reason in objections(result.model_copy(update={"held_out": judged})))
    refused = result.model_copy(update={"published": judged, "reasons": ()})
    assert any("on the published weights" in reason for reason in objections(refused))


def paying(result: VariantResult, ratio: float) -> VariantResult:
    """The result with another ratio: a tiny network's own says nothing."""
    fp32, int8 = result.races.timings
    races = result.races.model_copy(update={"timings": (fp32, int8.model_copy(update={"ratio": ratio}))})
    changed = result.model_copy(update={"races": races})
    return changed.model_copy(update={"reasons": objections(changed)})


def test_only_what_pays_is_published_and_nothing_stale_stays(places: Places, tmp_path: Path) -> None:
    result = variant(places, "view", "view")
    folder = publish_variant(paying(result, 2.0), places)
    assert folder == places.models / "view-int8"
    repository = ModelRepository(places.models)
    manifest, source = repository.manifest("view-int8"), repository.manifest("view")
    assert (manifest.variant_of, manifest.precision, manifest.stage) == ("view", "int8", "view")
    assert (manifest.inputs, manifest.outputs, manifest.labels) == (source.inputs, source.outputs, source.labels)
    assert 'name: "view-int8"' in (folder / "config.pbtxt").read_text()
    card = ModelCard.load(folder)
    assert card.metrics["variant"]["races"]["timings"][1]["ratio"] == 2.0
    assert card.metrics["variant"]["source_sha256"] == source.sha256
    assert any("Another processor" in limit for limit in card.limits)
    assert publish_variant(paying(result, 1.1), places) is None
    assert not folder.exists()
    assert "saves too little: 1.10" in paying(result, 1.1).reasons[0]


def test_novelty_that_refuses_more_is_an_objection(places: Places) -> None:
    result = paying(variant(places, "view", "view"), 2.0)
    assert objections(result.model_copy(update={"novelty_refused": (0.01, 0.014)})) == ()
    (reason,) = objections(result.model_copy(update={"novelty_refused": (0.01, 0.02)}))
    assert "refuses 0.0200" in reason


def test_results_are_kept_and_known_again(places: Places, tmp_path: Path) -> None:
    path = tmp_path / "docs" / "variants.json"
    assert VariantResults.load(path).variants == ()
    with pytest.raises(ValueError, match="no variant"):
        speed_page(VariantResults())
    results = [paying(variant(places, "view", "view"), 2.0), paying(variant(places, "seg-t1", "segmentation"), 1.0)]
    for result in results:
        VariantResults.load(path).with_result(result).dump(path)
    found = VariantResults.load(path)
    assert [each.variant_of for each in found.variants] == ["seg-t1", "view"]
    kept = found.find("view")
    assert kept is not None
    assert kept.is_published
    assert kept.sha256 == results[0].sha256
    assert found.find("tumor") is None
    text = speed_page(found)
    assert "| `view-int8` | yes |" in text
    assert "| `seg-t1-int8` | no |" in text
    assert "`seg-t1-int8` is not published: saves too little: 1.00" in text
    assert "trained on these slices" not in text
    saw = VariantResults(variants=tuple(each.model_copy(update={"published_saw_test": True}) for each in results))
    assert "weights of `view`, `seg-t1` were trained on these slices" in speed_page(saw)
    # The recipe is not the one of today, so it is measured again; a new network would be as well.
    assert not is_current(kept, places)


def test_held_out_network_must_be_there(places: Places) -> None:
    (places.held_out / "view" / "manifest.json").unlink()
    with pytest.raises(FileNotFoundError, match="model-export predict view --fold 0"):
        variant(places, "view", "view")


def test_published_weights_are_judged_as_well(places: Places) -> None:
    """Another network under `models/`, with the same answers: its figures are its own."""
    path = places.models / "view" / "1" / "model.onnx"
    model = onnx.load(path)
    for constant in model.graph.initializer:
        if constant.name == "head":
            constant.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(constant) * np.float32(1.5), "head"))
    onnx.save(model, path)
    manifest = ModelManifest.load(places.held_out / "view").model_copy(update={"sha256": sha256_of(path)})
    other = manifest.training.model_copy(update={"groups_sha256": "1" * 64})
    manifest.model_copy(update={"training": other}).dump(places.models / "view")
    result = variant(places, "view", "view")
    assert result.source_sha256 != result.held_out_sha256
    assert result.published_saw_test
    assert result.published.max_probability_difference != result.held_out.max_probability_difference


def test_variant_of_a_variant_is_refused(places: Places) -> None:
    manifest = ModelManifest.load(places.models / "view")
    manifest.model_copy(update={"precision": "int8", "variant_of": "tumor"}).dump(places.models / "view")
    with pytest.raises(ValueError, match="only an fp32 model"):
        variant(places, "view", "view")


def test_contenders_run_in_one_race(places: Places) -> None:
    path = places.models / "view" / "1" / "model.onnx"
    first, second = race({"one": open_session(path), "same": open_session(path)}, rounds=5)
    assert (first.label, second.label) == ("one", "same")
    assert (first.ratio, first.difference, second.difference) == (1.0, 0.0, 0.0)
    assert second.low <= second.ratio <= second.high
    assert second.rounds == 5
    assert second.provider == "CPUExecutionProvider"
    assert TensorSpec(name="image", dtype="UINT8", shape=(-1, 1, SIZE, SIZE)) in OnnxModel(path).inputs()
