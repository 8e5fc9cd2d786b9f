"""Keras networks in both forms become models of the repository; what does not fit ends with what to fix."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from model_export.card import ModelCard
from model_export.cli import app
from model_export.importing.contract import expected
from model_export.importing.faults import ParityFault
from model_export.importing.graph import ask, check_parity
from model_export.importing.keras_source import load_keras, start_keras
from model_export.importing.pictures import made_pictures
from model_export.importing.publish import import_network
from model_export.importing.request import ImportRequest, SourceFiles
from model_export.importing.source import SourceNetwork
from service_kit.contracts.common import TUMOR_LABELS
from service_kit.inference.factory import ModelRepository
from service_kit.inference.onnx import OnnxBackend

# Keras is loaded once, which takes a while on a busy machine.
pytestmark = [
    pytest.mark.timeout(900),
    # Keras's own, with numpy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

SIZE = 32
LABELS = ",".join(TUMOR_LABELS)


@pytest.fixture(scope="module")
def keras() -> Any:
    found = start_keras()
    found.utils.set_random_seed(3)
    return found


def _classifier(keras: Any, classes: int = 4, channels: int = 3) -> Any:
    layers = keras.layers
    picture = keras.Input((SIZE, SIZE, channels))
    maps = layers.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="first")(picture)
    maps = layers.BatchNormalization(name="norm")(maps)
    maps = layers.MaxPooling2D(name="pool")(maps)
    vector = layers.Dropout(0.5, name="dropout")(layers.Flatten(name="flat")(maps))
    vector = layers.Dense(8, activation="relu", name="dense")(vector)
    return keras.Model(picture, layers.Dense(classes, activation="softmax", name="answer")(vector))


def _residual_unet(keras: Any) -> Any:
    layers = keras.layers

    def block(maps: Any, width: int) -> Any:
        branch = layers.Conv2D(width, 3, padding="same")(maps)
        branch = layers.Activation("relu")(layers.BatchNormalization()(branch))
        branch = layers.Conv2D(width, 3, padding="same")(branch)
        return layers.Activation("relu")(layers.Add()([branch, layers.Conv2D(width, 1)(maps)]))

    picture = keras.Input((SIZE, SIZE, 3))
    top = block(picture, 4)
    deep = block(layers.MaxPooling2D()(top), 8)
    joined = layers.Concatenate()([layers.UpSampling2D()(deep), top])
    return keras.Model(picture, layers.Conv2D(1, 1, activation="sigmoid")(block(joined, 4)))


def _lively(network: Any) -> Any:
    """Weights as after training: no zero biases, no unit batch norms, answers that differ."""
    random = np.random.default_rng(5)
    network.set_weights([w + random.normal(0.0, 0.15, w.shape).astype(np.float32) ** 2 for w in network.get_weights()])
    return network


def _run(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["import", *map(str, arguments)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.output


def _served(models: Path, name: str, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """What a service would get: the repository's manifest, the backend's own checks, one run."""
    repository = ModelRepository(models)
    backend = OnnxBackend(repository.manifest(name), repository.model_path(name))

    async def ask_once() -> dict[str, NDArray[np.float32]]:
        try:
            return await backend.infer({"image": images})
        finally:
            await backend.aclose()

    return asyncio.run(ask_once())


def _images(count: int, channels: int = 1) -> NDArray[np.uint8]:
    """From dark to bright, so that the answers differ."""
    noise = np.random.default_rng(1).integers(0, 256, (count, channels, SIZE, SIZE))
    return (noise * np.linspace(0.1, 1.0, count)[:, None, None, None]).astype(np.uint8)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.fixture(scope="module")
def saved(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A classifier in every form, and the network itself."""
    folder, network = tmp_path_factory.mktemp("keras"), _lively(_classifier(keras))
    (folder / "classifier.json").write_text(network.to_json())
    network.save_weights(folder / "classifier.weights.h5")
    network.save(folder / "classifier.keras")
    network.save(folder / "classifier.h5")
    return folder, network


def _forms(folder: Path) -> dict[str, tuple[object, ...]]:
    return {
        "json": ("--json", folder / "classifier.json", "--weights", folder / "classifier.weights.h5"),
        "keras": ("--model", folder / "classifier.keras"),
        "h5": ("--model", folder / "classifier.h5"),
    }


def _tumor(**changes: object) -> list[object]:
    """The options of a tumor model, some of them changed."""
    options = {"name": "theirs", "stage": "tumor", "labels": LABELS, "size": SIZE, "channels": 3, **changes}
    return [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", value)]


@pytest.mark.parametrize("form", ["json", "keras", "h5"])
def test_a_keras_classifier_answers_as_it_did_in_keras(
    form: str, saved: tuple[Path, Any], tmp_path: Path, samples: Path
) -> None:
    folder, network = saved
    pictures = samples / "pictures" if (samples / "pictures").is_dir() else samples
    code, output = _run("keras", *_forms(folder)[form], *_tumor(), "--models", tmp_path, "--pictures", pictures)
    assert code == 0, output
    images = _images(3)
    own = network.predict(np.repeat(images.transpose(0, 2, 3, 1), 3, axis=3) / np.float32(255), verbose=0)
    found = _served(tmp_path, "theirs", images)
    np.testing.assert_allclose(_softmax(found["logits"]), own, atol=1e-5)
    assert np.ptp(own, axis=0).max() > 0.005
    manifest = ModelRepository(tmp_path).manifest("theirs")
    assert (manifest.labels, manifest.stage, manifest.calibration) == (TUMOR_LABELS, "tumor", None)
    assert manifest.inputs[0].shape == (-1, 1, SIZE, SIZE)
    card = ModelCard.load(tmp_path / "theirs")
    assert card.verification.passed
    assert "ends in a softmax" in card.protocol
    assert "11 made pictures" in card.protocol
    assert " 0 given" not in card.protocol
    assert set(card.config["files"]) == {path.name for path in _forms(folder)[form] if isinstance(path, Path)}
    assert str(folder) not in (tmp_path / "theirs" / "card.json").read_text()


def test_a_residual_unet_of_json_and_weights_is_a_segmenter_of_three_sequences(keras: Any, tmp_path: Path) -> None:
    network = _lively(_residual_unet(keras))
    (tmp_path / "unet.json").write_text(network.to_json())
    network.save_weights(tmp_path / "unet.weights.h5")
    models = tmp_path / "models"
    files = ("--json", tmp_path / "unet.json", "--weights", tmp_path / "unet.weights.h5")
    options = _tumor(stage="segmentation", labels="tumor", sequences="t1,flair,t1ce", scaling="-1..1", framing="whole")
    code, output = _run("keras", *files, *options, "--models", models)
    assert code == 0, output
    images = _images(2, channels=3)
    own = network.predict(images.transpose(0, 2, 3, 1) / np.float32(127.5) - np.float32(1), verbose=0)
    found = _served(models, "theirs", images)["probabilities"]
    np.testing.assert_allclose(found, own.transpose(0, 3, 1, 2), atol=1e-5)
    manifest = ModelRepository(models).manifest("theirs")
    assert (manifest.sequences, manifest.labels) == (("t1", "flair", "t1ce"), ("tumor",))
    assert manifest.preprocessing is not None
    assert not manifest.preprocessing.crop_head


def _as_keras_2(name: str, kind: str, config: dict[str, Any], before: list[str]) -> dict[str, Any]:
    bound = [[[previous, 0, 0, {}] for previous in before]] if before else []
    return {"class_name": kind, "config": {"name": name, **config}, "name": name, "inbound_nodes": bound}


def test_a_pair_of_keras_2_is_read(keras: Any, tmp_path: Path) -> None:
    """Written as tf.keras 2 wrote it: a list for the axis, `batch_input_shape`, weights by layer in one HDF5 file."""
    network = _lively(_classifier(keras, channels=1))
    network.save(tmp_path / "classifier.h5")
    layers = [
        _as_keras_2("input_1", "InputLayer", {"batch_input_shape": [None, SIZE, SIZE, 1], "dtype": "float32"}, []),
        _as_keras_2(
            "first",
            "Conv2D",
            {
                "filters": 6,
                "kernel_size": [3, 3],
                "strides": [2, 2],
                "padding": "same",
                "activation": "relu",
                "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
            },
            ["input_1"],
        ),
        _as_keras_2("norm", "BatchNormalization", {"axis": [3], "momentum": 0.99, "epsilon": 0.001}, ["first"]),
        _as_keras_2("pool", "MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}, ["norm"]),
        _as_keras_2("flat", "Flatten", {"data_format": "channels_last"}, ["pool"]),
        _as_keras_2("dropout", "Dropout", {"rate": 0.5}, ["flat"]),
        _as_keras_2("dense", "Dense", {"units": 8, "activation": "relu"}, ["dropout"]),
        _as_keras_2("answer", "Dense", {"units": 4, "activation": "softmax"}, ["dense"]),
    ]
    config = {
        "name": "model",
        "layers": layers,
        "input_layers": [["input_1", 0, 0]],
        "output_layers": [["answer", 0, 0]],
    }
    old = {"class_name": "Functional", "config": config, "keras_version": "2.9.0", "backend": "tensorflow"}
    (tmp_path / "old.json").write_text(json.dumps(old))
    files = ("--json", tmp_path / "old.json", "--weights", tmp_path / "classifier.h5")
    code, output = _run("keras", *files, *_tumor(channels=1, scaling="none"), "--models", tmp_path / "models")
    assert code == 0, output
    images = _images(2)
    own = network.predict(images.transpose(0, 2, 3, 1).astype(np.float32), verbose=0)
    found = _served(tmp_path / "models", "theirs", images)
    np.testing.assert_allclose(_softmax(found["logits"]), own, atol=1e-4)


def test_a_view_model_hands_on_the_features_of_a_layer(keras: Any, saved: tuple[Path, Any], tmp_path: Path) -> None:
    network = _lively(_classifier(keras, classes=3))
    network.save(tmp_path / "view.keras")
    options = _tumor(name="their-view", stage="view", labels="axial,coronal,sagittal", features_layer="dense")
    code, output = _run("keras", "--model", tmp_path / "view.keras", *options, "--models", tmp_path / "models")
    assert code == 0, output
    images = _images(2)
    layer = keras.Model(network.inputs, network.get_layer("dense").output)
    own = layer.predict(np.repeat(images.transpose(0, 2, 3, 1), 3, axis=3) / np.float32(255), verbose=0)
    found = _served(tmp_path / "models", "their-view", images)
    np.testing.assert_allclose(found["features"], own, atol=1e-4)
    assert found["logits"].shape == (2, 3)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def _with_layer(folder: Path, kind: str, **more: object) -> None:
    path = folder / "classifier.json"
    config = json.loads(path.read_text())
    layer = next(item for item in config["config"]["layers"] if item["class_name"] == "Dropout")
    layer.update({"class_name": kind, **more})
    path.write_text(json.dumps(config))


def _subclassed(folder: Path) -> None:
    config = json.loads((folder / "classifier.json").read_text())
    (folder / "classifier.json").write_text(json.dumps({**config, "class_name": "OurNetwork"}))


def _other_weights(folder: Path) -> None:
    """The last layer's weights as of a network with nine inputs to it."""
    with h5py.File(folder / "classifier.weights.h5", "r+") as stored:
        found: list[str] = []
        stored.visititems(lambda name, item: found.append(name) if getattr(item, "shape", ()) == (8, 4) else None)
        for name in found:
            del stored[name]
            stored[name] = np.zeros((9, 4), np.float32)


Break = Callable[[Path], object]
_KEEP: Break = lambda _: None  # noqa: E731
FAULTS: dict[str, tuple[str, Break, dict[str, object], str]] = {
    "missing weights": ("json", lambda f: (f / "classifier.weights.h5").unlink(), {}, "no such file"),
    "corrupt weights": ("json", lambda f: _cut(f / "classifier.weights.h5"), {}, "corrupt"),
    "other weights": ("json", _other_weights, {}, "the weights do not fit"),
    "corrupt json": ("json", lambda f: _cut(f / "classifier.json"), {}, "not JSON"),
    "no network": ("json", lambda f: (f / "classifier.json").write_text("[1]"), {}, "model.to_json()"),
    "corrupt model": ("keras", lambda f: _cut(f / "classifier.keras"), {}, "corrupt"),
    "weights for a model": (
        "h5",
        lambda f: (f / "classifier.weights.h5").replace(f / "classifier.h5"),
        {},
        "weights alone",
    ),
    "a custom layer": ("json", lambda f: _with_layer(f, "Squeeze", registered_name="ours>Squeeze"), {}, "Squeeze"),
    "an unknown layer": ("json", lambda f: _with_layer(f, "Squeeze", registered_name=None), {}, "not one of Keras"),
    "foreign code": ("json", lambda f: _with_layer(f, "Dropout", module="os"), {}, "runs code"),
    "a network of its own class": ("json", _subclassed, {}, "a class of its own"),
    "a lambda": ("json", lambda f: _with_layer(f, "Lambda"), {}, "Lambda runs code"),
    "too few labels": ("json", _KEEP, {"labels": "no_tumor,tumor"}, "4 values, --labels names 2"),
    "labels of another stage": ("json", _KEEP, {"labels": "axial,coronal,sagittal"}, "glioma,meningioma"),
    "another size": ("json", _KEEP, {"size": 64}, "say --size 32"),
    "another channel count": ("json", _KEEP, {"channels": 1}, "say --channels 3"),
    "no features layer": (
        "json",
        _KEEP,
        {"stage": "view", "labels": "axial,coronal,sagittal", "features_layer": "none"},
        "the last ones are",
    ),
    "features of a map": (
        "json",
        _KEEP,
        {"stage": "view", "labels": "axial,coronal,sagittal", "features_layer": "pool"},
        "a vector for each picture",
    ),
    "a segmenter without a plane": ("json", _KEEP, {"stage": "segmentation", "labels": "tumor"}, "one value a pixel"),
    "a bad name": ("json", _KEEP, {"name": "Their Model"}, "name"),
    "a bad scaling": ("json", _KEEP, {"scaling": "log"}, "scaling"),
    "no pictures": ("json", _KEEP, {"pictures": "here"}, "no such folder"),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_what_does_not_fit_says_what_to_fix(fault: str, saved: tuple[Path, Any], tmp_path: Path) -> None:
    form, break_files, changes, message = FAULTS[fault]
    for path in saved[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    break_files(tmp_path)
    code, output = _run("keras", *_forms(tmp_path)[form], *_tumor(**changes), "--models", tmp_path / "models")
    assert code == 2, output
    assert message in output
    assert "Traceback" not in output
    assert not list((tmp_path / "models").glob("*/manifest.json"))


def test_an_architecture_alone_is_refused(saved: tuple[Path, Any], tmp_path: Path) -> None:
    code, output = _run("keras", "--json", saved[0] / "classifier.json", *_tumor(), "--models", tmp_path)
    assert code == 2
    assert "--json needs --weights" in output


def test_a_name_in_use_is_kept(saved: tuple[Path, Any], tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    code, output = _run("keras", *_forms(saved[0])["json"], *_tumor(), "--models", tmp_path)
    assert code == 2
    assert "--replace" in output
    assert list(tmp_path.iterdir()) == [tmp_path / "theirs"]


def test_another_network_s_graph_does_not_pass(keras: Any, tmp_path: Path) -> None:
    request = ImportRequest(name="theirs", stage="tumor", labels=TUMOR_LABELS, size=SIZE, channels=3, command="import")
    _lively(_classifier(keras)).save(tmp_path / "first.keras")
    source: SourceNetwork = load_keras(SourceFiles(model=tmp_path / "first.keras"))
    import_network(source, request, tmp_path, report=lambda _: None)
    other = load_keras(SourceFiles(model=tmp_path / "first.keras"))
    for parameter in other.module.parameters():
        if parameter.is_floating_point():
            parameter.data.mul_(1.05)
    asked = ask(other, request, made_pictures(request, 6, 0))
    assert expected(asked.answers[0], other, request, "softmax").shape == (6, 4)
    with pytest.raises(ParityFault, match="differs from the network on 6 pictures"):
        check_parity(tmp_path / "theirs" / "1" / "model.onnx", other, request, "softmax", asked)
