"""How long a network takes for one picture: one CPU thread, all networks in turn, many rounds of one run."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.engine import OnnxModel
from service_kit.inference.manifest import ModelManifest, TensorSpec

_WARM_UP, _ROUNDS = 3, 25
_DTYPES = {"UINT8": np.uint8, "INT64": np.int64, "FP16": np.float16, "FP32": np.float32}


def interleaved_ms(folders: Mapping[str, Path]) -> dict[str, NDArray[np.float64]]:
    """Milliseconds of each round by model, `[25]` each: round k of all models ran one after another.

    So a slow moment of the machine hits all alike. The fastest round is the one to go by: other work only adds.
    """
    sessions = {}
    for name, folder in folders.items():
        manifest = ModelManifest.load(folder)
        arrays = {spec.name: _picture(spec, manifest) for spec in manifest.inputs}
        sessions[name] = (OnnxModel(folder / manifest.file, threads=1), arrays)
    found: dict[str, list[float]] = {name: [] for name in sessions}
    for nth in range(_WARM_UP + _ROUNDS):
        for name, (model, arrays) in sessions.items():
            started = time.perf_counter()
            model.run(arrays, batch=1)
            if nth >= _WARM_UP:
                found[name].append((time.perf_counter() - started) * 1000)
    return {name: np.array(values) for name, values in found.items()}


def _picture(spec: TensorSpec, manifest: ModelManifest) -> NDArray[np.generic]:
    """One random input; free dimensions beside the batch take the manifest's size."""
    size = manifest.preprocessing.size if manifest.preprocessing else 1
    shape = (1, *(length if length > 0 else size for length in spec.shape[1:]))
    return np.random.default_rng(0).integers(0, 255, shape).astype(_DTYPES[spec.dtype])
