"""onnxruntime in this process. The only file that imports it."""

import asyncio
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from service_kit.contracts.common import ModelRef
from service_kit.cpu import overflows_int8
from service_kit.errors import InferenceFailed, ModelInvalid, NotReady
from service_kit.inference.backend import NUMPY_TYPES, Arrays, InputCheck, check_signature, model_ref
from service_kit.inference.manifest import ModelManifest

_log = logging.getLogger(__name__)

_CPU, _OPENVINO = "CPUExecutionProvider", "OpenVINOExecutionProvider"
_TYPES = {"tensor(uint8)": "UINT8", "tensor(int64)": "INT64", "tensor(float16)": "FP16", "tensor(float)": "FP32"}
_ERRORS_ONLY = 3
_MOST_STREAMS = 8


class OnnxBackend:
    """One model, `concurrent_runs` runs of it at the same time, `intra_op_threads` threads each.

    The provider in use is read back from onnxruntime: where the one that was asked for is missing the CPU is used,
    `ref.provider` says so, and with `require_provider` the model is not ready. OpenVINO is told to compute what the
    manifest's precision says: left alone it takes bf16 on a CPU that has it.

    Raises:
        ModelInvalid: onnxruntime cannot load or run the file, or its signature is not the manifest's.
    """

    def __init__(
        self,
        manifest: ModelManifest,
        model_path: Path,
        *,
        provider: str = _CPU,
        require_provider: bool = False,
        intra_op_threads: int = 1,
        concurrent_runs: int = 2,
    ) -> None:
        self.manifest = manifest
        self.requested_provider = provider
        self._require_provider = require_provider
        try:
            self._session = onnxruntime.InferenceSession(
                str(model_path),
                _options(intra_op_threads),
                providers=_providers(provider, intra_op_threads, concurrent_runs),
            )
        except Exception as error:  # onnxruntime's own errors share no base but Exception
            raise ModelInvalid(
                f"{manifest.name}: onnxruntime cannot load the model ({type(error).__name__})"
            ) from error
        check_signature(manifest, "inputs", _signature(self._session.get_inputs()))
        check_signature(manifest, "outputs", _signature(self._session.get_outputs()))
        self.ref: ModelRef = model_ref(manifest, "onnxruntime", self._session.get_providers()[0])
        if self.ref.provider != provider:
            _log.warning("%s: %s is not available, %s is in use", manifest.name, provider, self.ref.provider)
        self._check = InputCheck(manifest)
        self._outputs = [spec.name for spec in manifest.outputs]
        self._closed = False
        self._warm_up()
        self._executor = ThreadPoolExecutor(concurrent_runs, thread_name_prefix=f"onnx-{manifest.name}")

    async def infer(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """See `InferenceBackend.infer`. A run that has begun is not interrupted."""
        self._check(arrays)
        if self._closed:
            raise NotReady(f"{self.manifest.name} is being closed")
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, arrays)

    async def ready(self) -> bool:
        """False when closed, or when the provider is required and another is in use."""
        return not self._closed and (not self._require_provider or self.ref.provider == self.requested_provider)

    async def aclose(self) -> None:
        """Wait for the runs that have begun."""
        self._closed = True
        await asyncio.to_thread(self._executor.shutdown)

    def _run(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        try:
            values = self._session.run(self._outputs, arrays)
        except Exception as error:  # onnxruntime's own errors share no base but Exception
            raise InferenceFailed(f"{self.manifest.name} failed on its input") from error
        return dict(zip(self._outputs, values, strict=True))

    def _warm_up(self) -> None:
        """One run on zeros: a graph that loads and cannot run is found now, not by the first patient."""
        shapes = {spec.name: spec.shape[1:] for spec in self.manifest.inputs}
        if any(size < 1 for shape in shapes.values() for size in shape):
            return
        zeros = {spec.name: np.zeros((1, *shapes[spec.name]), NUMPY_TYPES[spec.dtype]) for spec in self.manifest.inputs}
        try:
            self._run(zeros)
        except InferenceFailed as error:
            raise ModelInvalid(f"{self.manifest.name}: the model loads, but cannot run") from error


def _options(intra_op_threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = intra_op_threads
    options.inter_op_num_threads = 1
    # A waiting thread that spins takes the core from the next request.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if overflows_int8():
        # Unsigned weights: slower, and right. Elsewhere it would cost half of what 8 bits save and change nothing.
        options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = _ERRORS_ONLY
    return options


def _providers(wanted: str, intra_op_threads: int, concurrent_runs: int) -> list[tuple[str, dict[str, str]]]:
    """The wanted provider where the installed onnxruntime has it, and the CPU behind it, each with its options."""
    available = onnxruntime.get_available_providers()
    own = {_OPENVINO: _openvino_options(intra_op_threads, concurrent_runs)}
    return [(name, own.get(name, {})) for name in dict.fromkeys((wanted, _CPU)) if name in available]


def _openvino_options(intra_op_threads: int, concurrent_runs: int) -> dict[str, str]:
    # Its threads are counted over all streams, and a stream is one run at a time.
    streams = min(concurrent_runs, _MOST_STREAMS)
    return {
        "device_type": "CPU",
        "num_of_threads": str(intra_op_threads * streams),
        "num_streams": str(streams),
        # onnxruntime cannot be asked which precision it took: so it is not left to choose.
        "load_config": json.dumps({"CPU": {"INFERENCE_PRECISION_HINT": "f32"}}),
    }


def _signature(tensors: list[Any]) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {
        tensor.name: (
            _TYPES.get(tensor.type, tensor.type),
            tuple(size if isinstance(size, int) else -1 for size in tensor.shape),
        )
        for tensor in tensors
    }
