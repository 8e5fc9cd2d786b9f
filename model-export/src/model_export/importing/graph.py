"""The network behind the contract's signature as one ONNX file, and whether it computes the same."""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from model_export.engine import OnnxModel
from model_export.export.onnx_graph import OPSET, export_network, write_graph
from model_export.importing.contract import ContractNetwork, expected, prepared
from model_export.importing.faults import ImportFault, ParityFault
from model_export.importing.request import Ending, ImportRequest
from model_export.importing.source import SourceNetwork, first_line
from model_export.parity import Parity
from model_export.verify import MAX_DIFFERENCE, MIN_DICE

MAX_BYTES = 1_000_000_000
_MAX_OTHER = 1e-3
_BATCHES = (1, 5)


def write_contract_graph(network: ContractNetwork, source: SourceNetwork, request: ImportRequest, path: Path) -> None:
    """Write `network` to `path`.

    Raises:
        ImportFault: the exporter cannot express it, or it works for one batch size alone.
    """
    image = torch.zeros((2, request.picture_channels, request.size, request.size), dtype=torch.uint8)
    example: tuple[torch.Tensor, ...] = (image,)
    if source.features_length is not None:
        example = (image, torch.zeros((2, source.features_length)))
    try:
        if source.scripted:
            _write_traced(network, example, path)
        else:
            export_network(network, example, path, MAX_BYTES)
    except Exception as error:  # the exporter's errors share no base but Exception
        raise ImportFault(
            f"the network cannot be written as ONNX: {first_line(error)}; the batch, its first dimension, must be "
            "free, and PyTorch's exporter must know its operators"
        ) from error


def _write_traced(network: ContractNetwork, example: tuple[torch.Tensor, ...], path: Path) -> None:
    """A TorchScript network goes through the older exporter: the newer one does not read it."""
    names, outputs = list(network.input_names), list(network.output_names)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with TemporaryDirectory() as folder, torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations; the graph is checked below
        raw = Path(folder) / "network.onnx"
        torch.onnx.export(
            torch.jit.trace(network, example),  # type: ignore[no-untyped-call]
            example,
            str(raw),
            input_names=names,
            output_names=outputs,
            opset_version=OPSET,
            dynamic_axes={name: {0: "batch"} for name in (*names, *outputs)},
            dynamo=False,
        )
        write_graph(onnx.load(raw), path, MAX_BYTES)


@dataclass(frozen=True)
class Asked:
    """Pictures `[N, C, S, S]` (and features `[N, K]` where the network reads them), and the network's own answers."""

    images: NDArray[np.uint8]
    view_features: NDArray[np.float32] | None
    answers: tuple[NDArray[np.float32], ...]


def ask(source: SourceNetwork, request: ImportRequest, images: NDArray[np.uint8]) -> Asked:
    """Run the network's own code on pictures that were scaled and laid out outside of any graph.

    It is asked before the export, which folds batch norms in place. Raises `ImportFault` where it cannot run.
    """
    picture = prepared(images, request, source)
    if source.features_length is None:
        return Asked(images, None, source.answer(picture))
    features = np.random.default_rng(0).random((len(images), source.features_length), np.float32)
    return Asked(images, features, source.answer(picture, features))


def check_parity(path: Path, source: SourceNetwork, request: ImportRequest, ending: Ending, asked: Asked) -> Parity:
    """Run the ONNX file on what the network was asked, in batches of 1 and 5.

    Raises:
        ParityFault: they differ by more than 1e-4 in a probability, 1e-3 of the largest feature, or .999 in Dice.
    """
    model, wanted = OnnxModel(path), expected(asked.answers[0], source, request, ending)
    probability, other, dice = 0.0, 0.0, 1.0
    for batch in _BATCHES:
        part = slice(0, 1) if batch == 1 else slice(None)
        arrays: dict[str, NDArray[Any]] = {"image": asked.images[part]}
        if asked.view_features is not None:
            arrays["view_features"] = asked.view_features[part]
        found = model.run(arrays, batch)
        probabilities = _probabilities(found, request)
        probability = max(probability, float(np.abs(probabilities - wanted[part]).max()))
        if "features" in found:
            features = asked.answers[1][part].reshape(len(arrays["image"]), -1)
            other = max(other, float(np.abs(found["features"] - features).max() / max(1.0, np.abs(features).max())))
        if request.stage == "segmentation":
            dice = min(dice, _dice(probabilities > 0.5, wanted[part] > 0.5))
    parity = Parity(
        batches=_BATCHES,
        max_probability_difference=probability,
        max_output_difference=other,
        mask_dice=dice if request.stage == "segmentation" else None,
        passed=probability <= MAX_DIFFERENCE and other <= _MAX_OTHER and dice >= MIN_DICE,
    )
    if not parity.passed:
        raise ParityFault(
            f"the ONNX file differs from the network on {len(asked.images)} pictures: probabilities by up to "
            f"{probability:.2g} (limit {MAX_DIFFERENCE:g}), features by {other:.2g}, mask Dice {dice:.4f}; "
            "nothing was written"
        )
    return parity


def _probabilities(found: dict[str, NDArray[np.float32]], request: ImportRequest) -> NDArray[np.float64]:
    if request.stage == "segmentation":
        return found["probabilities"].astype(np.float64)
    logits = found["logits"].astype(np.float64)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _dice(left: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    total = int(left.sum() + right.sum())
    return 1.0 if total == 0 else 2.0 * int((left & right).sum()) / total
