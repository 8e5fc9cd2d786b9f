"""The work that every contender does: one JPEG in, view and tumor type (and outline) out, on the published models."""

import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime as ort
import simplejpeg
from PIL import Image

from service_kit.inference.manifest import ModelManifest

Task = Literal["classify", "classify+segment"]
TASKS: tuple[Task, ...] = ("classify", "classify+segment")
_SIDE_PX = 512


def sample_jpeg(sample: Path) -> bytes:
    """The request's picture: `sample` as a gray JPEG of 512 x 512 pixels."""
    with Image.open(sample) as picture:
        resized = picture.convert("L").resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BICUBIC)
    encoded = io.BytesIO()
    resized.save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


class Engine:
    """The published models in onnxruntime as MEASURED best: one thread a run, no spinning, all optimizations."""

    def __init__(self, models_dir: Path, *, tuned: bool = True) -> None:
        self.manifests = {name: ModelManifest.load(models_dir / name) for name in ("view", "tumor", "seg-t1")}
        self._sessions = {
            name: ort.InferenceSession(str(models_dir / name / manifest.file), _session_options(tuned=tuned))
            for name, manifest in self.manifests.items()
        }

    def run(self, name: str, **arrays: np.ndarray) -> dict[str, np.ndarray]:
        """One model on batched arrays."""
        session = self._sessions[name]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, arrays), strict=True))

    def size(self, name: str) -> int:
        """The side of the model's square input, in pixels."""
        preprocessing = self.manifests[name].preprocessing
        assert preprocessing is not None
        return preprocessing.size


def _session_options(*, tuned: bool) -> ort.SessionOptions:
    options = ort.SessionOptions()
    if tuned:
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


@dataclass(frozen=True, slots=True)
class RawCost:
    """CPU seconds an image: the decoder and onnxruntime alone, and with the resize to the models' inputs."""

    engine_s: float
    with_preprocessing_s: float


def measure_raw(engine: Engine, jpeg: bytes, task: Task, repeats: int) -> RawCost:
    """CPU seconds a request of decode + onnxruntime on this thread, without any server."""
    names = ("view", "tumor") if task == "classify" else ("view", "tumor", "seg-t1")
    inference_s = preprocessing_s = 0.0
    for _ in range(repeats):
        started = time.process_time()
        pixels = simplejpeg.decode_jpeg(jpeg, colorspace="GRAY")[:, :, 0]
        decoded = time.process_time()
        grids = {}
        for name in names:
            preprocessing = engine.manifests[name].preprocessing
            assert preprocessing is not None
            grids[name] = preprocessing.apply(pixels)[0][None, None]
        prepared = time.process_time()
        features = engine.run("view", image=grids["view"])["features"]
        engine.run("tumor", image=grids["tumor"], view_features=features)
        if task == "classify+segment":
            engine.run("seg-t1", image=grids["seg-t1"])
        done = time.process_time()
        inference_s += (decoded - started) + (done - prepared)
        preprocessing_s += prepared - decoded
    return RawCost(inference_s / repeats, (inference_s + preprocessing_s) / repeats)
