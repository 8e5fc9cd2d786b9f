"""From a float graph to one with 8-bit integers in it (QDQ form): convolutions and what lies between them."""

import logging
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from model_export.export.onnx_graph import write_graph
from model_export.quantization.recipe import QuantizationRecipe

Feed = Mapping[str, NDArray[Any]]

_PICTURE = "image"
_CARRIERS = ("Conv", "Add", "Concat", "Resize", "DepthToSpace", "MaxPool", "AveragePool")
_ACTIVATIONS = ("Clip", "Relu")


def quantize_graph(source: Path, target: Path, feeds: Iterable[Feed], recipe: QuantizationRecipe) -> None:
    """Write the quantized form of `source` to `target`.

    Args:
        source: a float model with the picture input `image`.
        target: where the result goes; its folder is made.
        feeds: the inputs of single calibration runs.
        recipe: what is quantized, and how ranges are chosen.

    Raises:
        ValueError: the graph has no convolution that may be quantized.
    """
    graph = onnx.load(source).graph
    kept = float_nodes(graph, recipe)
    if not any(node.op_type == "Conv" and node.name not in kept for node in graph.node):
        raise ValueError(f"{source}: no convolution to quantize")
    logger = logging.getLogger()
    level = logger.level
    # It warns that the graph was not optimized before: it was, when it was exported.
    logger.setLevel(logging.ERROR)
    try:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "model.onnx"
            quantize_static(
                source,
                made,
                _Feeds(feeds),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=[*_CARRIERS, *_ACTIVATIONS],
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=sorted(kept),
                calibrate_method=CalibrationMethod.MinMax,
                extra_options={"CalibMovingAverage": recipe.ranges == "mean"},
            )
            write_graph(onnx.load(made), target)
    finally:
        logger.setLevel(level)


def float_nodes(graph: onnx.GraphProto, recipe: QuantizationRecipe) -> set[str]:
    """Names of the nodes that stay float.

    These are the tail (nothing behind it is a convolution: pooling, heads, softmax, sigmoid), what mixes in a second
    input (FiLM's scale and shift, the view features), what comes before the first convolution, and those
    convolutions that the recipe leaves out.
    """
    reads_picture = _downstream(graph, {_PICTURE})
    side = _downstream(graph, {value.name for value in graph.input} - {_PICTURE})
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    after_conv = _downstream(graph, {name for node in convolutions for name in node.output})
    behind = _convolutions_behind(graph)
    left = {
        node.name
        for node in convolutions
        if (recipe.float_first and node.input[0] not in after_conv) or behind[node.output[0]] < recipe.float_last
    }
    before_conv = _upstream(graph, {node.input[0] for node in convolutions if node.name not in left})
    maker = {name: node.name for node in convolutions for name in node.output}
    kept: set[str] = set(left)
    for node in graph.node:
        inputs, outputs = set(node.input), set(node.output)
        if node.op_type in _ACTIVATIONS:
            # Behind a convolution it costs nothing: its limits become the range of the convolution's result.
            keep = maker.get(node.input[0], "") in {"", *left}
        else:
            keep = node.op_type != "Conv" and not outputs & before_conv
        if keep or inputs & (side - reads_picture) or not inputs & reads_picture:
            kept.add(node.name)
    return kept


def _convolutions_behind(graph: onnx.GraphProto) -> dict[str, int]:
    """For every tensor, how many convolutions follow on the longest way to an output."""
    found = {value.name: 0 for value in graph.output}
    for node in reversed(graph.node):
        most = max((found.get(name, 0) for name in node.output), default=0) + (node.op_type == "Conv")
        for name in node.input:
            found[name] = max(found.get(name, 0), most)
    return found


def _downstream(graph: onnx.GraphProto, names: set[str]) -> set[str]:
    """`names`, and every tensor computed from one of them (nodes are in order)."""
    found = set(names)
    for node in graph.node:
        if found & set(node.input):
            found |= set(node.output)
    return found


def _upstream(graph: onnx.GraphProto, names: set[str]) -> set[str]:
    """`names`, and every tensor that one of them is computed from."""
    found = set(names)
    for node in reversed(graph.node):
        if found & set(node.output):
            found |= set(node.input)
    return found


class _Feeds(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, feeds: Iterable[Feed]) -> None:
        self._left = iter(feeds)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """The next run's inputs, None at the end."""
        found = next(self._left, None)
        return None if found is None else {name: np.ascontiguousarray(array) for name, array in found.items()}
