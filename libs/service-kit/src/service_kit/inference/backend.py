"""The one port to a model, and the check that every adapter makes of what goes in."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from service_kit.contracts.common import ModelRef
from service_kit.errors import InferenceFailed, ModelInvalid
from service_kit.inference.manifest import ModelManifest, TensorSpec

Arrays = Mapping[str, NDArray[Any]]

NUMPY_TYPES: dict[str, np.dtype[Any]] = {
    "UINT8": np.dtype(np.uint8),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
}


class InferenceBackend(Protocol):
    """A model that answers. Arrays are batched: axis 0 counts inputs."""

    @property
    def manifest(self) -> ModelManifest:
        """What the model says of itself."""
        ...

    @property
    def ref(self) -> ModelRef:
        """Which model this is, and the execution provider that is really in use."""
        ...

    @property
    def requested_provider(self) -> str:
        """The execution provider that the settings ask for."""
        ...

    async def infer(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Inputs `[N, ...]` by name -> outputs `[N, ...]` by name, as the manifest has them.

        Raises:
            InferenceFailed: the arrays are not what the manifest says, or the engine failed on them.
            Overloaded: too much is waiting.
            DeadlineExceeded: the caller's deadline passed before the run.
            NotReady: the engine cannot be reached, or is being closed.
        """
        ...

    async def ready(self) -> bool:
        """Whether the model can answer now, on what the settings require."""
        ...

    async def aclose(self) -> None:
        """Let go of the engine; calls that wait are answered first."""
        ...


class InputCheck:
    """The manifest's inputs, made ready to compare arrays with."""

    def __init__(self, manifest: ModelManifest) -> None:
        self._name = manifest.name
        self._inputs = {spec.name: (NUMPY_TYPES[spec.dtype], spec.shape) for spec in manifest.inputs}

    def __call__(self, arrays: Arrays) -> int:
        """The number of inputs N.

        Raises:
            InferenceFailed: a name, type or shape is not the manifest's, or the arrays differ in N.
        """
        if arrays.keys() != self._inputs.keys():
            raise InferenceFailed(f"{self._name} takes {sorted(self._inputs)}, not {sorted(arrays)}")
        rows = -1
        for name, (dtype, shape) in self._inputs.items():
            array = arrays[name]
            if array.dtype != dtype:
                raise InferenceFailed(f"{self._name}: {name} must be {dtype}, not {array.dtype}")
            if array.ndim != len(shape) or any(
                wanted not in (-1, found) for wanted, found in zip(shape, array.shape, strict=True)
            ):
                raise InferenceFailed(f"{self._name}: {name} must be {list(shape)}, not {list(array.shape)}")
            if rows not in (-1, array.shape[0]) or array.shape[0] == 0:
                raise InferenceFailed(f"{self._name}: {name} has {array.shape[0]} inputs, where others have {rows}")
            rows = array.shape[0]
        return rows


def check_signature(manifest: ModelManifest, side: str, found: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
    """Compare what an engine says of a model's `side` ("inputs" or "outputs") with the manifest.

    `found` holds type and shape by name, with -1 for a dimension that may vary. Where the manifest has a size the
    engine may have -1, as exporters do not always know the sizes of outputs.

    Raises:
        ModelInvalid: naming the tensor that differs.
    """
    specs: tuple[TensorSpec, ...] = manifest.inputs if side == "inputs" else manifest.outputs
    wanted = {spec.name: spec for spec in specs}
    if wanted.keys() != found.keys():
        raise ModelInvalid(
            f"{manifest.name}: the model's {side} are {sorted(found)}, the manifest says {sorted(wanted)}"
        )
    for name, spec in wanted.items():
        dtype, shape = found[name]
        fits = len(shape) == len(spec.shape) and all(
            there in (-1, here) for here, there in zip(spec.shape, shape, strict=True)
        )
        if dtype != spec.dtype or not fits:
            raise ModelInvalid(
                f"{manifest.name}: {name} is {dtype} {list(shape)} in the model, "
                f"{spec.dtype} {list(spec.shape)} in the manifest"
            )


def model_ref(manifest: ModelManifest, backend: Literal["onnxruntime", "triton"], provider: str) -> ModelRef:
    """The reference to a model that each of its results carries."""
    return ModelRef(
        stage=manifest.stage,
        name=manifest.name,
        version=manifest.version,
        sha256=manifest.sha256,
        backend=backend,
        provider=provider,
        precision=manifest.precision,
    )
