"""Keras networks: JSON with weights, `.keras` or `.h5`, of Keras 3 or (where Keras 3 reads it) Keras 2."""

import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import h5py
from torch import Tensor, nn

from model_export.importing import keras_config
from model_export.importing.faults import ImportFault
from model_export.importing.request import Ending, SourceFiles
from model_export.importing.source import SourceNetwork, digests, first_line, present

_ENDINGS: dict[str, Ending] = {"softmax": "softmax", "sigmoid": "sigmoid", "linear": "logits"}


class _Inference(nn.Module):
    """A Keras network that never trains: dropout is off, batch norms use what they learned."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Any:
        """One or two inputs, in the network's own order -> whatever it answers."""
        return self.network(inputs[0] if len(inputs) == 1 else list(inputs), training=False)


def load_keras(files: SourceFiles, features_layer: str | None = None) -> SourceNetwork:
    """The network of `files.model`, or of `files.architecture` with `files.weights`.

    `features_layer` names the layer whose output becomes the second one (`features`); of a functional network.

    Raises:
        ImportFault: a file is missing or corrupt, weights that do not fit, layers that are not Keras's own.
    """
    keras = start_keras()
    if files.model is not None:
        paths = [present(files.model, "give the model that model.save() wrote")]
        if files.model.suffix not in {".keras", ".h5", ".hdf5"}:
            raise ImportFault(f"{files.model.name}: a Keras model ends in .keras, .h5 or .hdf5")
        config = keras_config.read_model(files.model)
    elif files.architecture is not None:
        paths = [present(files.architecture, "give the file that model.to_json() was written to")]
        if files.weights is None:
            raise ImportFault("--json needs --weights: an architecture alone has learned nothing")
        paths.append(present(files.weights, "give the file that model.save_weights() wrote"))
        config = keras_config.read_json(files.architecture)
    else:
        raise ImportFault("give --model, or --json with --weights")
    network = _built(keras, config, paths[0].name)
    _fill(network, paths[-1])
    return _described(keras, network, features_layer, digests(*paths))


def start_keras() -> Any:
    """Keras itself, running on PyTorch. Raises `ImportFault` where it already runs on something else."""
    # Read once, when Keras is first imported: the networks become PyTorch modules, which are exported as our own are.
    os.environ["KERAS_BACKEND"] = "torch"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Keras's own imports
        import keras  # noqa: PLC0415 - after the backend is chosen
    if keras.backend.backend() != "torch":
        raise ImportFault("Keras already runs on another backend in this process: start anew with KERAS_BACKEND=torch")
    return keras


def _built(keras: Any, config: dict[str, Any], name: str) -> Any:
    known = frozenset(n for n, kind in vars(keras.layers).items() if isinstance(kind, type)) | {
        "Functional",
        "Sequential",
    }
    unknown = keras_config.unknown_layer(config, known)
    if unknown:
        raise ImportFault(
            f"{name}: the layer {unknown} is not one of Keras's own; build it of those, or import the network through "
            "PyTorch (import torch --factory)"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Keras 2's spellings
            kind = keras.Sequential if config["class_name"] == "Sequential" else keras.Model
            # Not `model_from_json`, which does not read the layers of Keras 2.
            network = kind.from_config(config["config"])
    except Exception as error:  # Keras's errors share no base but Exception
        raise ImportFault(f"{name}: Keras {keras.__version__} cannot build the network: {first_line(error)}") from error
    if not network.built or not hasattr(network, "outputs"):
        raise ImportFault(f"{name}: the shape of the input is not in the file; add an Input layer and save it again")
    return network


def _fill(network: Any, path: Path) -> None:
    """Load the weights of a `.keras`, `.weights.h5` or (Keras 2) `.h5`: the content says which, not the name."""
    try:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            copy = Path(folder) / f"network{_weights_suffix(path)}"
            shutil.copyfile(path, copy)
            network.load_weights(copy)
    except ImportFault:
        raise
    except Exception as error:  # Keras's and HDF5's errors share no base but Exception
        raise ImportFault(
            f"{path.name}: the weights do not fit the architecture, or the file is corrupt: {first_line(error)}"
        ) from error


def _weights_suffix(path: Path) -> str:
    if path.suffix == ".keras":
        return ".keras"
    try:
        with h5py.File(path) as stored:
            old = "layer_names" in stored.attrs or "model_weights" in stored
    except OSError as error:
        raise ImportFault(f"{path.name}: corrupt, or no HDF5 file: {first_line(error)}; save it again") from error
    return ".h5" if old else ".weights.h5"


def _described(keras: Any, network: Any, features_layer: str | None, files: dict[str, str]) -> SourceNetwork:
    inputs, ending = list(network.inputs), _ending(keras, network)
    pictures = [value for value in inputs if len(value.shape) == 4]
    vectors = [value for value in inputs if len(value.shape) == 2]
    if len(pictures) != 1 or len(vectors) != len(inputs) - 1 or len(vectors) > 1 or inputs[0] is not pictures[0]:
        shapes = ", ".join(str(tuple(value.shape)) for value in inputs)
        raise ImportFault(f"the inputs must be a picture (N, S, S, C) and at most a vector after it, not {shapes}")
    if features_layer is not None:
        network = _with_features(keras, network, features_layer)
    _, rows, columns, channels = pictures[0].shape
    if rows != columns:
        raise ImportFault(f"the picture must be square, not {rows} x {columns}; build the network for a square one")
    return SourceNetwork(
        module=_Inference(network).eval(),
        framework=f"Keras {keras.__version__} on PyTorch",
        layout="NHWC",
        parameters=int(network.count_params()),
        files=files,
        size=rows,
        channels=channels,
        ending=ending,
        features_length=vectors[0].shape[1] if vectors else None,
    )


def _with_features(keras: Any, network: Any, layer: str) -> Any:
    names = [item.name for item in network.layers]
    if layer not in names:
        raise ImportFault(f"no layer is called {layer}; the last ones are {', '.join(names[-6:])}")
    output = network.get_layer(layer).output
    if len(output.shape) != 2:
        raise ImportFault(f"the layer {layer} gives {tuple(output.shape)}; features are a vector for each picture")
    return keras.Model(network.inputs, [network.outputs[0], output])


def _ending(keras: Any, network: Any) -> Ending | None:
    """What the layer behind the first output ends in, where it is a layer that says so."""
    operation = network.outputs[0]._keras_history.operation
    if isinstance(operation, keras.Model):
        return _ending(keras, operation)
    if type(operation).__name__ == "Softmax":
        return "softmax"
    activation = getattr(operation, "activation", None)
    if activation is None:
        return None
    name = getattr(activation, "__name__", "")
    if name not in _ENDINGS:
        raise ImportFault(f"the network ends in {name}; the last layer must be softmax, sigmoid or linear")
    return _ENDINGS[name]
