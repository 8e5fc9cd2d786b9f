"""`config.pbtxt`: what Triton wants to know of a model. Neutral about CPU and GPU."""

from collections.abc import Sequence

from service_kit.inference.manifest import TensorSpec


def triton_config(name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], max_batch: int) -> str:
    """The text of `config.pbtxt`. Shapes are written without the batch dimension, which Triton adds itself."""
    lines = [
        f'name: "{name}"',
        'backend: "onnxruntime"',
        'default_model_filename: "model.onnx"',
        f"max_batch_size: {max_batch}",
        *_tensors("input", inputs),
        *_tensors("output", outputs),
        "dynamic_batching { max_queue_delay_microseconds: 0 }",
        "version_policy { latest { num_versions: 1 } }",
    ]
    return "\n".join(lines) + "\n"


def _tensors(kind: str, specs: Sequence[TensorSpec]) -> list[str]:
    lines = [f"{kind} ["]
    for position, spec in enumerate(specs):
        dims = ", ".join(str(size) for size in spec.shape[1:])
        comma = "," if position + 1 < len(specs) else ""
        lines.append(f'  {{ name: "{spec.name}" data_type: TYPE_{spec.dtype} dims: [ {dims} ] }}{comma}')
    return [*lines, "]"]
