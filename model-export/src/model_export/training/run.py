"""One entry to train any network: pictures and checkpoints live in a cache folder outside the repository."""

from pathlib import Path

import torch

from model_export.training.config import TrainingConfig
from model_export.training.loop import Report, Task, fit


def _task(root: Path, cache: Path, config: TrainingConfig) -> Task:
    pictures = cache / "pictures"
    if config.name == "view":
        from model_export.training.view import ViewTask

        return ViewTask(root, pictures, config)
    if config.name == "tumor":
        from model_export.training.tumor import TumorTask

        return TumorTask(root, pictures, config, checkpoint_path(cache, "view"))
    if config.name == "seg-t1":
        from model_export.training.seg_t1 import SegT1Task

        return SegT1Task(root, pictures, config)
    from model_export.training.seg_film import SegFilmTask

    return SegFilmTask(root, pictures, config)


def checkpoint_path(cache: Path, name: str, split: str = "group") -> Path:
    """Where the best weights of a network are kept; the leaky arm has a file of its own."""
    return cache / "checkpoints" / (f"{name}.pt" if split == "group" else f"{name}-leaky.pt")


def train_network(
    root: Path, cache: Path, config: TrainingConfig, report: Report, threads: int = 2
) -> tuple[Path, list[dict[str, float]]]:
    """Train one network on the sets under `root`. Returns the checkpoint and the history.

    Raises:
        FileNotFoundError: a set, or the view checkpoint that the tumor network needs, is absent.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(config.seed)
    task = _task(root, cache, config)
    path = checkpoint_path(cache, config.name, config.split)
    return path, fit(task, config, path, report)


