"""onnxruntime, as small as evaluation needs it: a published model file, run in batches."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from service_kit.inference.manifest import DType, TensorSpec

_DTYPES: dict[str, DType] = {
    "tensor(uint8)": "UINT8",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
}


class OnnxModel:
    """A session on the CPU."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def inputs(self) -> tuple[TensorSpec, ...]:
        """Names, types and shapes (-1 where free) of the inputs."""
        return tuple(_spec(value) for value in self._session.get_inputs())

    def outputs(self) -> tuple[TensorSpec, ...]:
        """Names, types and shapes (-1 where free) of the outputs."""
        return tuple(_spec(value) for value in self._session.get_outputs())

    def run(self, arrays: Mapping[str, NDArray[np.generic]], batch: int = 32) -> dict[str, NDArray[np.float32]]:
        """All outputs for arrays that share their first dimension, computed `batch` at a time."""
        count = len(next(iter(arrays.values())))
        names = [value.name for value in self._session.get_outputs()]
        parts = [
            self._session.run(names, {name: array[start : start + batch] for name, array in arrays.items()})
            for start in range(0, count, batch)
        ]
        return {name: np.concatenate([part[n] for part in parts]) for n, name in enumerate(names)}


def _spec(value: onnxruntime.NodeArg) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else -1 for size in value.shape)
    return TensorSpec(name=value.name, dtype=_DTYPES[value.type], shape=shape)
