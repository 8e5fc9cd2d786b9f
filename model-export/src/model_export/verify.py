"""Parity: the trained network in PyTorch against the ONNX file in onnxruntime, on the same inputs."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from model_export.engine import OnnxModel
from model_export.parity import Parity

MAX_DIFFERENCE = 1e-4
MIN_DICE = 0.999


def compare(network: nn.Module, path: Path, batches: list[tuple[Tensor, ...]]) -> Parity:
    """Run both on every batch (real pictures or generated ones) and compare.

    `max_probability_difference` is on softmax or sigmoid outputs; `max_output_difference` on everything else,
    relative to the largest value. It passes at 1e-4 and, for masks at threshold .5, a Dice of .999.
    """
    model = OnnxModel(path)
    network = network.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    probability, other, dices = 0.0, 0.0, []
    for batch in batches:
        with torch.no_grad():
            expected = network(*batch)
        expected = expected if isinstance(expected, tuple) else (expected,)
        names = list(network.input_names)  # type: ignore[arg-type]
        found = model.run({name: tensor.numpy() for name, tensor in zip(names, batch, strict=True)}, len(batch[0]))
        for name, tensor in zip(network.output_names, expected, strict=True):  # type: ignore[arg-type]
            left, right = tensor.numpy(), found[str(name)]
            if name == "logits":
                left, right = _softmax(left), _softmax(right)
            if name in {"logits", "probabilities"}:
                probability = max(probability, float(np.abs(left - right).max()))
            else:
                other = max(other, float(np.abs(left - right).max() / max(1.0, np.abs(left).max())))
            if name == "probabilities":
                dices.append(_dice(left > 0.5, right > 0.5))
    dice = min(dices) if dices else None
    passed = probability <= MAX_DIFFERENCE and other <= 1e-3 and (dice is None or dice >= MIN_DICE)
    return Parity(
        batches=tuple(len(batch[0]) for batch in batches),
        max_probability_difference=probability,
        max_output_difference=other,
        mask_dice=dice,
        passed=passed,
    )


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _dice(left: np.ndarray, right: np.ndarray) -> float:
    total = float(left.sum() + right.sum())
    return 1.0 if total == 0 else 2.0 * float((left & right).sum()) / total
