"""ONNX graphs of a few kilobytes, one for each stage. Needs the package onnx."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from service_kit.contracts.common import StageName
from service_kit.inference.manifest import VIEW_FEATURES, ClinicalColumn, TensorSpec

FEATURES = 128
VOLUME_LEVELS = (1.0, 2.0, 3.0)
"""Standard deviations above the brain's mean, by region."""
CLINICAL_COLUMNS = (
    ClinicalColumn(name="age", kind="number", unit="years", minimum=20.0, maximum=80.0, imputed=50.0),
    ClinicalColumn(name="sex", kind="category", codes={"female": 1, "male": 2}, imputed=1.0),
    ClinicalColumn(name="who_grade", kind="number", minimum=2.0, maximum=3.0, imputed=2.0),
)

_OPSET = 21
_IR_VERSION = 10
_ONNX_TYPES = {"UINT8": "UINT8", "INT64": "INT64", "FP16": "FLOAT16", "FP32": "FLOAT"}


def tiny_graph(
    stage: StageName, size: int, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], seed: int
) -> bytes:
    """The file of a model with these inputs and outputs; `seed` draws its weights."""
    classes = outputs[0].shape[-1]
    nodes, weights = _graph(stage, size, [spec.name for spec in inputs], classes, seed)
    return _model(f"tiny_{stage}", nodes, weights, inputs, outputs)


def tiny_volume_graph(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> bytes:
    """The file of a 3D model: region `n` is where the present sequences' mean lies above `VOLUME_LEVELS[n]`."""
    nodes: list[_Node] = [
        ("ReduceSum", ["volume", "channel_axis"], "sum", {"keepdims": 1}),
        ("ReduceSum", ["present", "channel_axis"], "count_flat", {"keepdims": 1}),
        ("Max", ["count_flat", "one"], "count_or_one", {}),
        ("Unsqueeze", ["count_or_one", "space"], "count", {}),
        ("Div", ["sum", "count"], "mean", {}),
        ("Sub", ["mean", "levels"], "above", {}),
        ("Mul", ["above", "slope"], "score", {}),
        ("Sigmoid", ["score"], "probabilities", {}),
    ]
    levels = np.array(VOLUME_LEVELS[: outputs[0].shape[1]], np.float32)
    weights = {
        "channel_axis": np.array([1], np.int64),
        "space": np.array([2, 3, 4], np.int64),
        "one": np.float32(1.0),
        "levels": levels.reshape(1, -1, 1, 1, 1),
        "slope": np.float32(20.0),
    }
    return _model("tiny_volume", nodes, weights, inputs, outputs)


def _model(
    name: str, nodes: "list[_Node]", weights: "_Weights", inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> bytes:
    from onnx import TensorProto, checker, helper, numpy_helper  # noqa: PLC0415 - only tests have it

    def info(spec: TensorSpec) -> Any:
        shape = ["batch" if side == -1 else side for side in spec.shape]
        return helper.make_tensor_value_info(spec.name, getattr(TensorProto, _ONNX_TYPES[spec.dtype]), shape)

    graph = helper.make_graph(
        [helper.make_node(op, list(sources), [target], **attributes) for op, sources, target, attributes in nodes],
        name,
        [info(spec) for spec in inputs],
        [info(spec) for spec in outputs],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    checker.check_model(model)
    return cast("bytes", model.SerializeToString())


_Node = tuple[str, Sequence[str], str, dict[str, Any]]
_Weights = dict[str, Any]


def _graph(stage: StageName, size: int, inputs: Sequence[str], classes: int, seed: int) -> tuple[list[_Node], _Weights]:
    """Nodes (operator, inputs, output, attributes) and constants."""
    random = np.random.default_rng(seed)
    float_type = 1
    scaled: list[_Node] = [
        ("Cast", ["image"], "image_f", {"to": float_type}),
        ("Div", ["image_f", "white"], "gray", {}),
    ]
    white = np.float32(255.0)
    match stage:
        case "view":
            nodes: list[_Node] = [
                *scaled,
                ("AveragePool", ["gray"], "pooled", {"kernel_shape": [size // 8] * 2, "strides": [size // 8] * 2}),
                ("Flatten", ["pooled"], "cells", {"axis": 1}),
                ("MatMul", ["cells", "to_features"], "features", {}),
                ("MatMul", ["features", "to_logits"], "logits", {}),
                ("ReduceMean", ["cells", "cell_axis"], "novelty", {"keepdims": 1}),
            ]
            return nodes, {
                "white": white,
                "cell_axis": np.array([1], np.int64),
                "to_features": random.normal(0, 0.3, (64, FEATURES)).astype(np.float32),
                "to_logits": random.normal(0, 0.3, (FEATURES, 3)).astype(np.float32),
            }
        case "tumor":
            nodes = [
                *scaled,
                ("AveragePool", ["gray"], "pooled", {"kernel_shape": [8, 8], "strides": [8, 8]}),
                ("Conv", ["pooled", "to_cam", "cam_bias"], "cam", {}),
            ]
            told = VIEW_FEATURES in inputs
            nodes.append(("ReduceMean", ["cam", "grid_axes"], "evidence" if told else "logits", {"keepdims": 0}))
            weights: _Weights = {
                "white": white,
                "to_cam": random.normal(0, 3, (classes, 1, 1, 1)).astype(np.float32),
                "cam_bias": random.normal(0, 0.3, classes).astype(np.float32),
                "grid_axes": np.array([2, 3], np.int64),
            }
            if told:
                nodes += [
                    ("MatMul", [VIEW_FEATURES, "from_view"], "from_features", {}),
                    ("Add", ["evidence", "from_features"], "logits", {}),
                ]
                weights["from_view"] = random.normal(0, 0.1, (FEATURES, classes)).astype(np.float32)
            return nodes, weights
        case "segmentation":
            nodes = [*scaled, ("ReduceMean", ["gray", "channel_axis"], "mean", {"keepdims": 1})]
            weights = {
                "white": white,
                "channel_axis": np.array([1], np.int64),
                "half": np.float32(0.5),
                "slope": np.float32(20.0),
            }
            shifted = "mean"
            if "clinical" in inputs:
                nodes += [
                    ("ReduceMean", ["clinical", "channel_axis"], "shift_flat", {"keepdims": 1}),
                    ("Mul", ["shift_flat", "tenth"], "shift_small", {}),
                    ("Unsqueeze", ["shift_small", "grid_axes"], "shift", {}),
                    ("Add", ["mean", "shift"], "shifted", {}),
                ]
                weights |= {"tenth": np.float32(0.1), "grid_axes": np.array([2, 3], np.int64)}
                shifted = "shifted"
            nodes += [
                ("Sub", [shifted, "half"], "above", {}),
                ("Mul", ["above", "slope"], "score", {}),
                ("Sigmoid", ["score"], "probabilities", {}),
            ]
            return nodes, weights
        case "clinical":
            lowest = [column.minimum if column.minimum is not None else 0.0 for column in CLINICAL_COLUMNS]
            highest = [column.maximum if column.maximum is not None else 1.0 for column in CLINICAL_COLUMNS]
            nodes = [
                ("IsNaN", ["record"], "missing", {}),
                ("Where", ["missing", "imputed", "record"], "filled", {}),
                ("Sub", ["filled", "lowest"], "above", {}),
                ("Div", ["above", "span"], "vector", {}),
            ]
            return nodes, {
                "imputed": np.array([column.imputed for column in CLINICAL_COLUMNS], np.float32),
                "lowest": np.array(lowest, np.float32),
                "span": (np.array(highest) - np.array(lowest)).astype(np.float32),
            }
