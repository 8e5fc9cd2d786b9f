"""Triton's onnxruntime backend in little: `backend: "onnxruntime"` models, run by onnxruntime from PyPI on the CPU.

The real backend comes only with NVIDIA's container images. This one reads the same repository layout and serves the
same protocol, so that an unchanged `models/` can be tried on the real server from the wheel.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton  # given by the server


class TritonPythonModel:
    """One instance of one model."""

    def initialize(self, args):
        """Load the version's model file."""
        config = json.loads(args["model_config"])
        file_name = config.get("default_model_filename") or "model.onnx"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(Path(args["model_repository"]) / args["model_version"] / file_name),
            options,
            providers=["CPUExecutionProvider"],
        )
        self._inputs = [tensor["name"] for tensor in config["input"]]
        self._outputs = [tensor["name"] for tensor in config["output"]]
        self._batched = config["max_batch_size"] > 0

    def execute(self, requests):
        """Answer the requests that Triton has gathered: as one run where the model is batched."""
        feeds = [
            {name: triton.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs}
            for request in requests
        ]
        if not self._batched:
            return [self._answer(feed) for feed in feeds]
        try:
            merged = {name: np.concatenate([feed[name] for feed in feeds]) for name in self._inputs}
            outputs = self._session.run(self._outputs, merged)
        except Exception:  # noqa: BLE001 - onnxruntime raises no narrower type
            # One request's input must not fail the others.
            return [self._answer(feed) for feed in feeds]
        ends = np.cumsum([len(feed[self._inputs[0]]) for feed in feeds])
        pieces = zip(*(np.split(values, ends[:-1]) for values in outputs), strict=True)
        return [self._respond(piece) for piece in pieces]

    def _answer(self, feed):
        try:
            return self._respond(self._session.run(self._outputs, feed))
        except Exception as error:  # noqa: BLE001 - onnxruntime raises no narrower type
            return triton.InferenceResponse(error=triton.TritonError(str(error)))

    def _respond(self, outputs):
        tensors = [
            triton.Tensor(name, np.ascontiguousarray(values))
            for name, values in zip(self._outputs, outputs, strict=True)
        ]
        return triton.InferenceResponse(tensors)
