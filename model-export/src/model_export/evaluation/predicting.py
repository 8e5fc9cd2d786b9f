"""Out-of-fold predictions: a fold's exported network answers for the patients that it never saw."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.clinical import empty_record, read_clinical
from model_export.datasets.copies import copied_in_training
from model_export.datasets.film_set import film_set
from model_export.datasets.lgg import SEQUENCES
from model_export.datasets.pictures import read_gray
from model_export.datasets.slices import fold_slices, slice_pictures
from model_export.datasets.split import Fold, GroupSplit, members
from model_export.datasets.tumor_set import tumor_pictures, tumor_samples
from model_export.datasets.view_set import view_pictures, view_samples
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.store import ClassifierPredictions, SegmenterPredictions
from model_export.training.clinical import encode, fitted_columns
from service_kit.inference.preprocessing import Preprocessing

_BATCH = 16


def predict_views(model: PublishedModel, root: Path, cache: Path, fold: Fold) -> ClassifierPredictions:
    """The test slices of every set, and all of `views64`, which no fold trains on."""
    samples, split = view_samples(root, fold)
    chosen = _judged([(s.key, s.group) for s in samples], split, root, fold)
    images = view_pictures(samples, _grid(model), cache / "pictures").images[chosen]
    external = _views64(root)
    outside = np.stack([model.place(read_gray(path))[0][None] for path, _ in external])
    answer = model.model.run({"image": np.concatenate([images, outside])}, _BATCH)
    kept = [samples[i] for i in chosen]
    planes = [s.plane for s in kept] + [plane for _, plane in external]
    keys = [s.key for s in kept] + [path.name for path, _ in external]
    labels = model.manifest.labels
    return ClassifierPredictions(
        name=model.manifest.name,
        labels=labels,
        keys=np.array(keys),
        groups=np.array([s.group for s in kept] + [path.name for path, _ in external]),
        sources=np.array([s.source for s in kept] + ["views64"] * len(external)),
        views=np.array(planes),
        main=np.array([s.source in {"cheng", "brisc"} for s in kept] + [False] * len(external)),
        folds=np.full(len(keys), fold.index),
        truth=np.array([labels.index(plane) for plane in planes]),
        logits=answer["logits"],
        features=answer["features"],
    )


def predict_tumors(
    model: PublishedModel, view: PublishedModel, root: Path, cache: Path, fold: Fold
) -> ClassifierPredictions:
    """The test slices of `t1_slices` and of the other sets; a binary network calls every tumor `tumor`."""
    samples, split = tumor_samples(root, fold)
    chosen = _judged([(s.key, s.group) for s in samples], split, root, fold)
    arrays: dict[str, NDArray[Any]] = {
        "image": tumor_pictures(samples, _grid(model), cache / "pictures").images[chosen]
    }
    features = None
    if len(model.manifest.inputs) > 1:
        seen = tumor_pictures(samples, _grid(view), cache / "pictures").images[chosen]
        features = view.model.run({"image": seen}, _BATCH)["features"]
        arrays["view_features"] = features
    kept, labels = [samples[i] for i in chosen], model.manifest.labels
    views = {r.image.name: r.view or "" for r in fold_slices(root, fold)[0]}
    return ClassifierPredictions(
        name=model.manifest.name,
        labels=labels,
        keys=np.array([s.key for s in kept]),
        groups=np.array([s.group for s in kept]),
        sources=np.array([s.source for s in kept]),
        views=np.array([views.get(s.key, "") for s in kept]),
        main=np.array([s.main for s in kept]),
        folds=np.full(len(kept), fold.index),
        truth=np.array([labels.index(s.label if s.label in labels else "tumor") for s in kept]),
        logits=model.model.run(arrays, _BATCH)["logits"],
        features=features,
    )


def predict_t1_outlines(model: PublishedModel, root: Path, cache: Path, fold: Fold) -> SegmenterPredictions:
    """The test slices of `t1_slices`, those without a tumor too."""
    records, split = fold_slices(root, fold)
    chosen = _judged([(r.image.name, r.group) for r in records], split, root, fold)
    images = slice_pictures(records, _grid(model), cache / "pictures").images[chosen]
    kept = [records[i] for i in chosen]
    return SegmenterPredictions(
        name=model.manifest.name,
        keys=np.array([r.image.name for r in kept]),
        groups=np.array([r.group for r in kept]),
        sources=np.array([r.source for r in kept]),
        views=np.array([r.view or "" for r in kept]),
        labels=np.array([r.tumor_class for r in kept]),
        folds=np.full(len(kept), fold.index),
        planes={"full": _planes(model, {"image": images})},
    )


def predict_flair_outlines(model: PublishedModel, root: Path, cache: Path, fold: Fold) -> SegmenterPredictions:
    """The test patients' slices with the true record, another patient's, none, and with the FLAIR alone."""
    found = film_set(root, _grid(model), cache / "pictures", fold)
    table = read_clinical(root)
    trained = {found.patients[at] for at in members(found.groups, found.split.train)}
    columns = fitted_columns(np.array([table[patient] for patient in sorted(trained & set(table))]))
    chosen = [at for at in members(found.groups, found.split.test) if found.is_lgg[at]]
    patients = [found.patients[at] for at in chosen]
    names = sorted(set(patients))
    order = np.random.default_rng(fold.seed).permutation(len(names))
    other = {names[a]: names[b] for a, b in zip(order, np.roll(order, 1), strict=True)}

    def vectors(of: list[str]) -> NDArray[np.float32]:
        return encode(np.array([table.get(patient, empty_record()) for patient in of]), columns)

    images, true = found.pictures.images[chosen], vectors(patients)
    flair = np.repeat(images[:, SEQUENCES.index("flair")][:, None], len(SEQUENCES), axis=1)
    variants = {
        "full": (images, true),
        "none": (images, encode(np.array([empty_record()] * len(chosen)), columns)),
        "shuffled": (images, vectors([other[patient] for patient in patients])),
        "flair": (flair, true),
    }
    return SegmenterPredictions(
        name=model.manifest.name,
        keys=np.array([found.lgg[at].picture.name for at in chosen]),
        groups=np.array(patients),
        sources=np.array(["lgg"] * len(chosen)),
        views=np.array(["axial"] * len(chosen)),
        labels=np.array(["glioma"] * len(chosen)),
        folds=np.full(len(chosen), fold.index),
        planes={
            name: _planes(model, {"image": pictures, "clinical": clinical})
            for name, (pictures, clinical) in variants.items()
        },
    )


def _judged(slices: list[tuple[str, str]], split: GroupSplit, root: Path, fold: Fold) -> list[int]:
    """Positions of the test slices `(key, group)`, without those of which a copy is trained on."""
    copied = frozenset[str]() if fold.leaky else copied_in_training(*fold_slices(root, fold))
    return [at for at in members([group for _, group in slices], split.test) if slices[at][0] not in copied]


def _planes(model: PublishedModel, arrays: dict[str, NDArray[Any]]) -> NDArray[np.uint8]:
    count = len(arrays["image"])
    planes = np.empty((count, *arrays["image"].shape[-2:]), np.uint8)
    for start in range(0, count, _BATCH):
        part = {name: array[start : start + _BATCH] for name, array in arrays.items()}
        planes[start : start + _BATCH] = np.rint(model.model.run(part, _BATCH)["probabilities"][:, 0] * 255)
    return planes


def _grid(model: PublishedModel) -> Preprocessing:
    if model.manifest.preprocessing is None:
        raise ValueError(f"{model.manifest.name} reads no picture")
    return model.manifest.preprocessing


def _views64(root: Path) -> list[tuple[Path, str]]:
    folder = root / "views64"
    with (folder / "index.csv").open(newline="", encoding="utf-8") as stream:
        return [(folder / row["image"], row["view"]) for row in csv.DictReader(stream)]
