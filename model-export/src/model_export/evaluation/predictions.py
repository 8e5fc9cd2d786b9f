"""What the published models answer: the one place where evaluation meets onnxruntime and the pictures."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.lgg import SEQUENCES
from model_export.engine import OnnxModel
from service_kit.inference.manifest import ModelManifest, Postprocessing
from service_kit.inference.postprocessing import postprocess
from service_kit.inference.preprocessing import Placement

Loader = Callable[[], NDArray[np.uint8]]
_CHUNK = 64
Item = TypeVar("Item")


@dataclass(frozen=True)
class PublishedModel:
    """A model of the repository, opened."""

    manifest: ModelManifest
    model: OnnxModel

    @classmethod
    def open(cls, models: Path, name: str, threads: int = 2) -> "PublishedModel":
        """Open `models/<name>`. Raises `ModelInvalid` where manifest and file do not agree."""
        manifest = ModelManifest.load(models / name)
        return cls(manifest, OnnxModel(models / name / manifest.file, threads))

    def place(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Placement]:
        """A picture `[rows, columns]` as the model's input `[S, S]`, by the manifest's preprocessing."""
        if self.manifest.preprocessing is None:
            raise ValueError(f"{self.manifest.name} reads no picture")
        return self.manifest.preprocessing.apply(pixels)


def classify_views(view: PublishedModel, loaders: Sequence[Loader]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits `[N, 3]` and features `[N, 128]` of pictures."""
    logits, features = [], []
    for chunk in _chunks(loaders):
        answer = view.model.run({"image": np.stack([view.place(load())[0][None] for load in chunk])})
        logits.append(answer["logits"])
        features.append(answer["features"])
    return np.concatenate(logits), np.concatenate(features)


def classify_tumors(view: PublishedModel, tumor: PublishedModel, loaders: Sequence[Loader]) -> NDArray[np.float32]:
    """Logits `[N, 4]` of pictures, through both models as the product does it."""
    found = []
    for chunk in _chunks(loaders):
        pixels = [load() for load in chunk]
        features = view.model.run({"image": np.stack([view.place(p)[0][None] for p in pixels])})["features"]
        images = np.stack([tumor.place(p)[0][None] for p in pixels])
        found.append(tumor.model.run({"image": images, "view_features": features})["logits"])
    return np.concatenate(found)


def t1_probabilities(
    model: PublishedModel, loaders: Sequence[Loader]
) -> Iterable[tuple[NDArray[np.float32], Placement]]:
    """Probabilities `[S, S]` and placement of each picture."""
    for chunk in _chunks(loaders):
        placed = [model.place(load()) for load in chunk]
        answer = model.model.run({"image": np.stack([image[None] for image, _ in placed])}, batch=16)
        for plane, (_, placement) in zip(answer["probabilities"], placed, strict=True):
            yield plane[0], placement


def film_probabilities(
    model: PublishedModel,
    slices: Sequence[Callable[[], dict[str, NDArray[np.uint8]]]],
    vector: NDArray[np.float32],
    sequences: Sequence[str] = SEQUENCES,
) -> Iterable[tuple[NDArray[np.float32], Placement]]:
    """Probabilities `[S, S]` and placement of each slice of one patient.

    Args:
        model: seg-flair-film.
        slices: each reads the pictures of one slice by sequence.
        vector: the clinical vector `[K]`.
        sequences: which sequences are at hand; the others are replaced as the manifest says.
    """
    preprocessing, fallback = model.manifest.preprocessing, model.manifest.fallback
    if preprocessing is None:
        raise ValueError("seg-flair-film has no preprocessing")
    for chunk in _chunks(slices):
        images, placements = [], []
        for load in chunk:
            pictures = load()
            placement = preprocessing.place(pictures["flair"])
            names = [name if name in sequences else fallback[name] for name in model.manifest.sequences]
            images.append(np.stack([preprocessing.apply(pictures[name], placement)[0] for name in names]))
            placements.append(placement)
        clinical = np.repeat(vector[None].astype(np.float32), len(images), axis=0)
        answer = model.model.run({"image": np.stack(images), "clinical": clinical}, batch=16)
        for plane, placement in zip(answer["probabilities"], placements, strict=True):
            yield plane[0], placement


def cut(plane: NDArray[np.float32], placement: Placement, rule: Postprocessing) -> NDArray[np.uint8]:
    """The mask `[rows, columns]` by the function that the segmenter service uses."""
    return postprocess(plane, placement, rule)


def _chunks(items: Sequence[Item]) -> Iterable[Sequence[Item]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
