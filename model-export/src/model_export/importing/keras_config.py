"""A Keras architecture before it is built: what is in it, and Keras 2's spelling turned into Keras 3's."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from model_export.importing.faults import ImportFault
from model_export.importing.source import first_line

_REFUSED = frozenset({"Lambda", "TFOpLambda", "SlicingOpLambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer"})
_NETWORKS = frozenset({"Functional", "Model", "Sequential"})
"""`Model` is what older versions called a functional network."""
_HINT = "build it of Keras's own layers, or import the network through PyTorch (import torch --factory)"


def read_json(path: Path) -> dict[str, Any]:
    """The architecture in a JSON file as `model.to_json()` writes it, in Keras 3's spelling.

    Raises:
        ImportFault: no JSON, no architecture, or layers that are not Keras's own.
    """
    return checked(_parsed(path.read_bytes(), path.name), path.name)


def read_model(path: Path) -> dict[str, Any]:
    """The architecture inside a whole model (`.keras`, `.h5`). Raises as `read_json` does."""
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                return checked(_parsed(archive.read("config.json"), path.name), path.name)
        with h5py.File(path) as stored:
            if "model_config" not in stored.attrs:
                raise ImportFault(f"{path.name}: weights alone; give the architecture too (--json, with --weights)")
            return checked(_parsed(stored.attrs["model_config"], path.name), path.name)
    except (zipfile.BadZipFile, OSError, KeyError) as error:
        raise ImportFault(f"{path.name}: corrupt, or no Keras model: {first_line(error)}; save it again") from error


def checked(config: dict[str, Any], name: str) -> dict[str, Any]:
    """`config` in Keras 3's spelling. Nothing of it is run before its layers are known to be Keras's own."""
    if "class_name" not in config or "config" not in config:
        raise ImportFault(f"{name}: no Keras architecture; write it by model.to_json()")
    if config["class_name"] not in _NETWORKS:
        kind = config["class_name"]
        raise ImportFault(f"{name}: a {kind} is a class of its own, whose code is not in the file; {_HINT}")
    # How it was trained, often with a loss of its own, does not matter here.
    config.pop("compile_config", None)
    for part in _parts(config):
        kind, module = str(part["class_name"]), part.get("module")
        custom = module is not None and not str(module).startswith("keras")
        package, _, registered = str(part.get("registered_name") or "").partition(">")
        if kind in _REFUSED or custom or (registered and package != "keras"):
            raise ImportFault(f"{name}: the layer {kind} runs code that is not in the file; {_HINT}")
    return _in_keras_3(config)


def unknown_layer(config: dict[str, Any], known: frozenset[str]) -> str | None:
    """The first layer of `config` that Keras does not have."""
    for layer in _layers(config):
        if layer["class_name"] not in known:
            return str(layer["class_name"])
    return None


def _parsed(content: bytes | str, name: str) -> dict[str, Any]:
    try:
        config = json.loads(content)
    except ValueError as error:
        raise ImportFault(f"{name}: not JSON: {first_line(error)}") from error
    if not isinstance(config, dict):
        raise ImportFault(f"{name}: no Keras architecture; write it by model.to_json()")
    return config


def _parts(config: object) -> Iterator[dict[str, Any]]:
    """Every object that Keras would build."""
    if isinstance(config, dict):
        if "class_name" in config and "config" in config:
            yield config
        for value in config.values():
            yield from _parts(value)
    elif isinstance(config, list):
        for value in config:
            yield from _parts(value)


def _layers(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    settings = config.get("config")
    inner = settings.get("layers", []) if isinstance(settings, dict) else []
    for layer in inner:
        if isinstance(layer, dict) and "class_name" in layer:
            yield layer
            yield from _layers(layer)


def _in_keras_3(config: dict[str, Any]) -> dict[str, Any]:
    """Keras 2 wrote the axis of a batch norm as a list."""
    for part in _parts(config):
        settings = part["config"]
        if not isinstance(settings, dict):
            continue
        axis = settings.get("axis")
        if part["class_name"] == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
            settings["axis"] = axis[0]
    return config
