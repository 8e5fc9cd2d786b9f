"""Out-of-fold predictions on disk: what every network answered for patients that it never saw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.split import Fold

Strings = NDArray[np.str_]


@dataclass(frozen=True)
class ClassifierPredictions:
    """Answers of a classifier, a row a slice.

    `keys` name the samples of `datasets.view_set` or `tumor_set`; `views` are "" where unknown; `main` marks
    `t1_slices`; `logits [N, C]` are in the order of `labels`; `features [N, 128]` where the network has them.
    """

    name: str
    labels: tuple[str, ...]
    keys: Strings
    groups: Strings
    sources: Strings
    views: Strings
    main: NDArray[np.bool_]
    folds: NDArray[np.int64]
    truth: NDArray[np.int64]
    logits: NDArray[np.float32]
    features: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True)
class SegmenterPredictions:
    """Answers of a segmentation network, a row a slice.

    `planes` are probabilities times 255 on the model's grid `[N, S, S]` by variant; `labels` the tumor classes.
    """

    name: str
    keys: Strings
    groups: Strings
    sources: Strings
    views: Strings
    labels: Strings
    folds: NDArray[np.int64]
    planes: dict[str, NDArray[np.uint8]]

    def __len__(self) -> int:
        return len(self.keys)


def predictions_path(cache: Path, name: str, fold: Fold) -> Path:
    """Where the answers of one fold's network are kept."""
    return cache / "predictions" / name / f"{fold.label}.npz"


def save_predictions(path: Path, predictions: ClassifierPredictions | SegmenterPredictions) -> None:
    """Write one fold's answers; whole or not at all."""
    arrays: dict[str, Any] = {
        key: value for key, value in vars(predictions).items() if value is not None and key != "planes"
    }
    for variant, planes in getattr(predictions, "planes", {}).items():
        arrays[f"planes/{variant}"] = planes
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, **arrays)
    temporary.replace(path)


def read_classifier(cache: Path, name: str, folds: Sequence[Fold] | None = None) -> ClassifierPredictions:
    """The answers of a classifier: of the given folds, or of all the grouped ones there are, pooled.

    Raises:
        FileNotFoundError: there are none; the message names the command that makes them.
    """
    parts = [_load(path) for path in _paths(cache, name, folds)]
    joined = _joined(parts)
    features = joined("features") if all("features" in part for part in parts) else None
    return ClassifierPredictions(
        name=str(parts[0]["name"]),
        labels=tuple(str(label) for label in parts[0]["labels"]),
        keys=joined("keys"),
        groups=joined("groups"),
        sources=joined("sources"),
        views=joined("views"),
        main=joined("main"),
        folds=joined("folds"),
        truth=joined("truth"),
        logits=joined("logits"),
        features=features,
    )


def read_segmenter(cache: Path, name: str, folds: Sequence[Fold] | None = None) -> SegmenterPredictions:
    """The answers of a segmentation network, as `read_classifier` does it.

    Raises:
        FileNotFoundError: there are none; the message names the command that makes them.
    """
    parts = [_load(path) for path in _paths(cache, name, folds)]
    joined = _joined(parts)
    variants = [key for key in parts[0] if key.startswith("planes/")]
    return SegmenterPredictions(
        name=str(parts[0]["name"]),
        keys=joined("keys"),
        groups=joined("groups"),
        sources=joined("sources"),
        views=joined("views"),
        labels=joined("labels"),
        folds=joined("folds"),
        planes={key.removeprefix("planes/"): joined(key) for key in variants},
    )


def _paths(cache: Path, name: str, folds: Sequence[Fold] | None) -> list[Path]:
    folder = cache / "predictions" / name
    if folds is None:
        found = sorted(path for path in folder.glob("fold-*.npz") if not path.name.endswith(".tmp.npz"))
    else:
        found = [path for fold in folds if (path := predictions_path(cache, name, fold)).exists()]
    if not found:
        raise FileNotFoundError(
            f"no predictions of {name}: model-export train {name}, then model-export predict {name}"
        )
    return found


def _load(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def _joined(parts: list[dict[str, NDArray[Any]]]) -> Callable[[str], NDArray[Any]]:
    return lambda key: np.concatenate([part[key] for part in parts])
