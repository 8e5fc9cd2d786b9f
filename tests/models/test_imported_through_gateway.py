"""A research group's pair, a CNN that gates a residual U-Net, each as JSON and weights: imported, then asked for by
name through the whole product, as `neurogate analyze` runs it.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from model_export.cli import app
from model_export.importing.keras_source import start_keras
from service_kit.inference.factory import ModelRepository
from service_kit.inference.postprocessing import postprocess
from service_kit.inference.preprocessing import Preprocessing

pytestmark = [
    pytest.mark.timeout(900),  # Keras is loaded, and the product started: slow on a busy machine
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own, with numpy 2
]

SIZE = 64
DEFAULTS = ("view", "tumor", "seg-t1", "seg-flair-film", "clinical")
COMMAND = Path(__file__).parents[2] / ".venv" / "bin" / "neurogate"


@pytest.fixture(scope="module")
def keras() -> Any:
    found = start_keras()
    found.utils.set_random_seed(11)
    return found


def _detector(keras: Any) -> Any:
    layers = keras.layers
    picture = keras.Input((SIZE, SIZE, 3))
    maps = layers.BatchNormalization()(layers.Conv2D(6, 3, strides=2, activation="relu")(picture))
    vector = layers.Dense(8, activation="relu")(layers.Flatten()(layers.MaxPooling2D(4)(maps)))
    return keras.Model(picture, layers.Dense(1, activation="sigmoid")(vector))


def _residual_unet(keras: Any) -> Any:
    layers = keras.layers

    def block(maps: Any, width: int) -> Any:
        branch = layers.BatchNormalization()(layers.Conv2D(width, 3, padding="same")(maps))
        branch = layers.Conv2D(width, 3, padding="same")(layers.Activation("relu")(branch))
        return layers.Activation("relu")(layers.Add()([branch, layers.Conv2D(width, 1)(maps)]))

    picture = keras.Input((SIZE, SIZE, 3))
    top = block(picture, 4)
    joined = layers.Concatenate()([layers.UpSampling2D()(block(layers.MaxPooling2D()(top), 8)), top])
    return keras.Model(picture, layers.Conv2D(1, 1, activation="sigmoid")(block(joined, 4)))


def _bring(network: Any, folder: Path, models: Path, name: str, *options: str) -> None:
    """Written as a research group keeps it, and imported."""
    (folder / f"{name}.json").write_text(network.to_json())
    network.save_weights(folder / f"{name}.weights.h5")
    files = ["--json", str(folder / f"{name}.json"), "--weights", str(folder / f"{name}.weights.h5")]
    sizes = ["--size", str(SIZE), "--channels", "3", "--scaling", "0..1"]
    found = CliRunner().invoke(
        app, ["import", "keras", *files, "--name", name, *sizes, *options, "--models", str(models)]
    )
    assert found.exit_code == 0, found.output


def _answer(network: Any, preprocessing: Preprocessing, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The network's own answer in Keras, prepared as the service does it: `[S, S, channels]` or `[classes]`."""
    picture = preprocessing.apply(pixels, preprocessing.place(pixels))[0]
    answer: NDArray[np.float32] = network.predict(np.repeat(picture[None, ..., None], 3, axis=3) / 255.0, verbose=0)[0]
    return answer


@pytest.mark.skipif(
    not COMMAND.exists() and os.environ.get("CI") != "true",
    reason="the product is not installed beside the training: make setup",
)
def test_a_keras_pair_answers_through_the_gateway_as_it_did_in_keras(
    keras: Any, models: Path, samples: Path, tmp_path: Path
) -> None:
    repository, sample = tmp_path / "models", samples / "axial-glioma.png"
    for name in DEFAULTS:
        shutil.copytree(models / name, repository / name)
    detector, unet = _detector(keras), _residual_unet(keras)
    _bring(detector, tmp_path, repository, "our-detector", "--stage", "tumor", "--labels", "no_tumor,tumor")
    _bring(unet, tmp_path, repository, "our-resunet", "--stage", "segmentation", "--labels", "tumor")

    options = {"models": {"tumor": "our-detector", "segmentation": "our-resunet"}, "segment": "always"}
    command = [COMMAND, "analyze", sample, "--models-dir", repository, "--out", tmp_path, "--options"]
    found = subprocess.run([*command, json.dumps(options)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    analysis = json.loads((tmp_path / sample.stem / "analysis.json").read_text())
    named = {model["stage"]: model["name"] for model in analysis["models"]}
    assert (named["tumor"], named["segmentation"]) == ("our-detector", "our-resunet")

    with Image.open(sample) as picture:
        pixels = np.asarray(picture.convert("L"))
    read = {name: ModelRepository(repository).manifest(name) for name in ("our-detector", "our-resunet")}
    prepared = {name: manifest.preprocessing for name, manifest in read.items()}
    assert all(prepared.values())
    own = _answer(detector, prepared["our-detector"], pixels)
    assert analysis["tumor"]["present_probability"] == pytest.approx(float(own[0]), abs=1e-4)
    assert "not_calibrated" in {reason["code"] for reason in analysis["reasons"]}
    plane = _answer(unet, prepared["our-resunet"], pixels)[..., 0]
    rule = read["our-resunet"].postprocessing
    assert rule is not None
    wanted = postprocess(plane, prepared["our-resunet"].place(pixels), rule)
    with Image.open(tmp_path / sample.stem / "mask.png") as picture:
        mask = np.asarray(picture) > 0
    assert 0 < wanted.mean() < 1
    assert (mask == wanted.astype(bool)).mean() > 0.999
