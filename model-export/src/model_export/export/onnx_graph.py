"""Export of a torch network: batch norms folded, batch dimension free, one file, checked."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from model_export.architectures.batchnorm import fold_batchnorm

OPSET = 18
MAX_BYTES = 25_000_000


def export_network(network: nn.Module, example: Sequence[Tensor], path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Write `network` to `path`.

    Args:
        network: carries `input_names` and `output_names`; it is folded in place and left in eval mode.
        example: one tensor an input, batch of 2, of the types that will be served.
        path: the ONNX file; its folder is made.
        max_bytes: how large the file may be.

    Raises:
        ValueError: the file is over `max_bytes`, or an output's batch dimension is fixed.
        onnx.checker.ValidationError: the graph is not valid ONNX.
    """
    folded = fold_batchnorm(network.to(memory_format=torch.contiguous_format))  # type: ignore[call-overload]
    batch = torch.export.Dim("batch", min=1, max=1024)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations; the graph is checked below
        program = torch.onnx.export(
            folded,
            tuple(example),
            input_names=list(network.input_names),  # type: ignore[arg-type]
            output_names=list(network.output_names),  # type: ignore[arg-type]
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=tuple({0: batch} for _ in example),
            optimize=True,
            verbose=False,
        )
    if program is None:
        raise ValueError("the exporter returned nothing")
    write_graph(program.model_proto, path, max_bytes)


def write_graph(graph: onnx.ModelProto, path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Check a graph and write it as one file. Raises as `export_network` does."""
    del graph.metadata_props[:]
    for node in graph.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.checker.check_model(graph, full_check=True)
    for value in (*graph.graph.input, *graph.graph.output):
        if not value.type.tensor_type.shape.dim[0].dim_param:
            raise ValueError(f"{value.name}: its batch dimension is fixed")
    content = graph.SerializeToString()
    if len(content) > max_bytes:
        raise ValueError(f"{path.name}: {len(content)} bytes are over the limit of {max_bytes}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
