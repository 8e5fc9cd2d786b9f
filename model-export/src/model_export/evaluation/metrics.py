"""Figures of merit, in numpy alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]


def softmax(logits: NDArray[np.floating[Any]], temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities `[N, classes]` of logits divided by a temperature."""
    scaled = logits.astype(np.float64) / temperature
    shifted = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float64)


def confusion(truth: Labels, predicted: Labels, classes: int) -> NDArray[np.int64]:
    """Counts `[classes, classes]`: rows are the truth, columns the prediction."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def accuracy(truth: Labels, predicted: Labels) -> float:
    """Share of right answers. Raises `ValueError` where there is nothing to judge."""
    if len(truth) == 0:
        raise ValueError("no slices to judge")
    return float((truth == predicted).mean())


def recall_precision_f1(matrix: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    """Recall, precision and F1 of each class, from a confusion matrix; 0 where a class never occurs."""
    hits = np.diag(matrix).astype(np.float64)
    recall = hits / np.maximum(matrix.sum(axis=1), 1)
    precision = hits / np.maximum(matrix.sum(axis=0), 1)
    return recall, precision, 2 * hits / np.maximum(matrix.sum(axis=0) + matrix.sum(axis=1), 1)


def macro_f1(truth: Labels, predicted: Labels, classes: int) -> float:
    """Mean F1 over the classes that occur in the truth."""
    matrix = confusion(truth, predicted, classes)
    present = matrix.sum(axis=1) > 0
    return float(recall_precision_f1(matrix)[2][present].mean())


def dice(left: NDArray[Any], right: NDArray[Any]) -> float:
    """Dice of two masks of one shape; 1 where both are empty."""
    a, b = left > 0, right > 0
    total = int(a.sum()) + int(b.sum())
    return 1.0 if total == 0 else 2.0 * int((a & b).sum()) / total
