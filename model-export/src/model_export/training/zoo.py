"""The task that trains a network of the zoo."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from model_export.datasets.slices import fold_slices, slice_pictures
from model_export.datasets.split import Fold
from model_export.datasets.tumor_set import tumor_pictures, tumor_samples
from model_export.datasets.view_set import view_pictures, view_samples
from model_export.training.config import TrainingConfig
from model_export.training.loop import Task, load_checkpoint
from model_export.training.t1 import view_features
from model_export.training.zoo_classifier import LabelledSlices, ZooClassifierTask
from model_export.training.zoo_segmenter import OutlinedSlices, ZooSegmenterTask
from model_export.zoo import ZooEntry
from service_kit.contracts.common import BINARY_LABELS
from service_kit.inference.preprocessing import Preprocessing

_NO_TUMOR = "no_tumor"


def zoo_task(entry: ZooEntry, root: Path, cache_pictures: Path, fold: Fold, view_checkpoint: Path) -> Task:
    """The task that trains `entry` for `fold` on the sets under `root`.

    Args:
        entry: one of `ZOO`.
        root: the development sets.
        cache_pictures: where pictures on a model's grid are kept.
        fold: what is left for testing.
        view_checkpoint: of the view network that was trained on the same fold; read where the entry needs its features.

    Raises:
        FileNotFoundError: a set, or the view checkpoint, is absent.
    """
    config = entry.config(fold)
    torch.manual_seed(config.seed)
    network = entry.build()
    if entry.kind == "segmenter":
        return _segmenter_task(entry, network, config, root, cache_pictures)
    if entry.kind == "view":
        views, split = view_samples(root, fold)
        pictures = view_pictures(views, Preprocessing(size=entry.size), cache_pictures)
        slices = LabelledSlices(
            torch.from_numpy(pictures.images),
            np.array([entry.labels.index(s.plane) for s in views]),
            [s.group for s in views],
            np.ones(len(views), np.bool_),
        )
        return ZooClassifierTask(network, slices, split, config, even_classes=True)
    samples, split = tumor_samples(root, fold)
    images = torch.from_numpy(tumor_pictures(samples, Preprocessing(size=entry.size), cache_pictures).images)
    features = None
    if entry.needs_view_features:
        state, view_config, _ = load_checkpoint(view_checkpoint)
        seen = tumor_pictures(samples, Preprocessing(size=view_config.size), cache_pictures).images
        features = view_features(state, torch.from_numpy(seen))
    slices = LabelledSlices(
        images,
        np.array([entry.labels.index(tumor_label(s.label, entry.labels)) for s in samples]),
        [s.group for s in samples],
        np.array([s.main for s in samples]),
        features,
    )
    return ZooClassifierTask(network, slices, split, config)


def tumor_label(label: str, labels: tuple[str, ...]) -> str:
    """A slice's class in a network's own words: every tumor is `tumor` to a binary one."""
    return label if label in labels or label == _NO_TUMOR else BINARY_LABELS[1]


def _segmenter_task(
    entry: ZooEntry, network: nn.Module, config: TrainingConfig, root: Path, cache_pictures: Path
) -> Task:
    records, split = fold_slices(root, config.of_fold)
    pictures = slice_pictures(records, Preprocessing(size=entry.size), cache_pictures)
    if pictures.masks is None:
        raise ValueError("t1_slices has no masks")
    slices = OutlinedSlices(
        torch.from_numpy(pictures.images),
        torch.from_numpy(pictures.masks)[:, None],
        [r.group for r in records],
        np.array([r.mask is not None for r in records]),
    )
    return ZooSegmenterTask(network, slices, split, config, entry.loss)
