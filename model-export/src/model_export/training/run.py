"""One entry to train any network: pictures and checkpoints live in a cache folder outside the repository."""

from pathlib import Path

import torch

from model_export.audit.guard import refuse_leaks
from model_export.datasets.copies import copied_in_training, copy_pairs
from model_export.datasets.slices import fold_slices
from model_export.datasets.split import Fold
from model_export.training.brats3d import Brats3dTask
from model_export.training.config import CONFIGS, TrainingConfig
from model_export.training.loop import Report, Task, fit
from model_export.training.seg_film import SegFilmTask
from model_export.training.t1 import T1Task
from model_export.training.view import ViewTask
from model_export.training.volume_config import VOLUME_CONFIGS, VolumeConfig
from model_export.training.zoo import zoo_task
from model_export.zoo import ZOO


def _task(root: Path, cache: Path, config: TrainingConfig) -> Task:
    pictures = cache / "pictures"
    if isinstance(config, VolumeConfig):
        return Brats3dTask(root, pictures, config)
    if config.name == "view":
        return ViewTask(root, pictures, config)
    if config.name == "t1":
        return T1Task(root, pictures, config, checkpoint_path(cache, "view", config.of_fold))
    if config.name in ZOO:
        view = checkpoint_path(cache, "view", config.of_fold)
        return zoo_task(ZOO[config.name], root, pictures, config.of_fold, view)
    return SegFilmTask(root, pictures, config)


def checkpoint_path(cache: Path, name: str, fold: Fold) -> Path:
    """Where the weights of a network are kept."""
    return cache / "checkpoints" / name / f"{fold.label}.pt"


def guard_fold(root: Path, fold: Fold) -> None:
    """Raise `LeakingSplit` where a judged slice of `t1_slices`, a copy of it, or its patient is trained on."""
    records, split = fold_slices(root, fold)
    copied = frozenset[str]() if fold.leaky else copied_in_training(records, split)
    kept = [r for r in records if r.image.name not in copied]
    sides = ["train" if r.group in split.train else "test" for r in kept]
    refuse_leaks([r.image.name for r in kept], [r.group for r in kept], sides, near_duplicates=copy_pairs())


def train_network(
    root: Path,
    cache: Path,
    config: TrainingConfig,
    report: Report,
    *,
    threads: int = 2,
    allow_leak: bool = False,
) -> tuple[Path, list[dict[str, float]]]:
    """Train one network on the sets under `root`. Returns the checkpoint and the history.

    Raises:
        LeakingSplit: the split leaks, and that was not allowed.
        FileNotFoundError: a set, or the view checkpoint that the T1 network needs, is absent.
    """
    # The guard knows copies among slices of `t1_slices`; a BraTS case is one group, in the same fold for every network.
    if not allow_leak and not isinstance(config, VolumeConfig):
        guard_fold(root, config.of_fold)
    torch.set_num_threads(threads)
    torch.manual_seed(config.seed)
    task = _task(root, cache, config)
    path = checkpoint_path(cache, config.name, config.of_fold)
    return path, fit(task, config, path, report)


def recipe(name: str) -> TrainingConfig:
    """The recipe of a network. Raises `KeyError` for one that is not trained here."""
    if name in VOLUME_CONFIGS:
        return VOLUME_CONFIGS[name]
    return ZOO[name].config(Fold()) if name in ZOO else CONFIGS[name]


TRAINABLE: dict[str, tuple[str, ...]] = {
    "defaults": ("view", "t1", "seg-flair-film"),
    "zoo": tuple(ZOO),
    "volumes": tuple(VOLUME_CONFIGS),
    "controls": ("seg-flair-none", "seg-flair-shuffled"),
}
"""What can be named together on the command line."""
