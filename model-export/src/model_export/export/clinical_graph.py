"""The fitted clinical transformer as an ONNX graph of plain operators: no pickle, no scikit-learn at serving."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from service_kit.inference.manifest import ClinicalColumn

_OPSET = 17


def clinical_graph(columns: tuple[ClinicalColumn, ...]) -> onnx.ModelProto:
    """Input `record [N, columns]` float32 (NaN is missing), output `vector [N, K]` float32.

    Numbers are imputed, scaled by the trained range and clipped to 0..1; categories are imputed and one-hot encoded
    (an unknown code gives zeros); one missing-flag a column follows.
    """
    nodes, constants = [], []

    def constant(name: str, values: object, dtype: type = np.float32) -> str:
        constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    imputed = constant("imputed", [[column.imputed for column in columns]])
    nodes.append(helper.make_node("IsNaN", ["record"], ["is_missing"]))
    nodes.append(helper.make_node("Where", ["is_missing", imputed, "record"], ["filled"]))
    nodes.append(helper.make_node("Cast", ["is_missing"], ["flags"], to=TensorProto.FLOAT))
    parts, width = [], len(columns)
    zero, one = constant("zero", 0.0), constant("one", 1.0)
    for position, column in enumerate(columns):
        index = constant(f"{column.name}_index", [position], np.int64)
        value, out = f"{column.name}_value", f"{column.name}_vector"
        nodes.append(helper.make_node("Gather", ["filled", index], [value], axis=1))
        if column.minimum is not None and column.maximum is not None:
            low = constant(f"{column.name}_minimum", column.minimum)
            span = constant(f"{column.name}_span", column.maximum - column.minimum)
            nodes.append(helper.make_node("Sub", [value, low], [f"{column.name}_shifted"]))
            nodes.append(helper.make_node("Div", [f"{column.name}_shifted", span], [f"{column.name}_scaled"]))
            nodes.append(helper.make_node("Clip", [f"{column.name}_scaled", zero, one], [out]))
            width += 1
        else:
            codes = constant(f"{column.name}_codes", [list(column.codes.values())])
            nodes.append(helper.make_node("Equal", [value, codes], [f"{column.name}_equal"]))
            nodes.append(helper.make_node("Cast", [f"{column.name}_equal"], [out], to=TensorProto.FLOAT))
            width += len(column.codes)
        parts.append(out)
    nodes.append(helper.make_node("Concat", [*parts, "flags"], ["vector"], axis=1))
    graph = helper.make_graph(
        nodes,
        "clinical",
        [helper.make_tensor_value_info("record", TensorProto.FLOAT, ["batch", len(columns)])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", width])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)
