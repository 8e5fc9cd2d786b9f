"""One entry to train any network: pictures and checkpoints live in a cache folder outside the repository."""

from pathlib import Path

import torch

from model_export.architectures.tumor import TumorNetwork
from model_export.training.config import TrainingConfig
from model_export.training.evidence import refit_head
from model_export.training.loop import Report, Task, fit, load_checkpoint, save_checkpoint
from model_export.training.seg_film import SegFilmTask
from model_export.training.seg_t1 import SegT1Task
from model_export.training.tumor import TumorTask
from model_export.training.view import ViewTask


def _task(root: Path, cache: Path, config: TrainingConfig) -> Task:
    pictures = cache / "pictures"
    if config.name == "view":
        return ViewTask(root, pictures, config)
    if config.name == "tumor":
        return TumorTask(root, pictures, config, checkpoint_path(cache, "view"))
    if config.name == "seg-t1":
        return SegT1Task(root, pictures, config)
    return SegFilmTask(root, pictures, config)


def checkpoint_path(cache: Path, name: str) -> Path:
    """Where the best weights of a network are kept."""
    return cache / "checkpoints" / f"{name}.pt"


def study_path(cache: Path, split: str) -> Path:
    """Where an arm (`group` or `slice`) of the leakage study is kept."""
    return cache / "checkpoints" / f"tumor-study-{split}.pt"


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
    path = study_path(cache, config.split) if config.study else checkpoint_path(cache, config.name)
    history = fit(task, config, path, report)
    if isinstance(task, TumorTask) and not config.study:
        add_evidence_head(task, config, path, report)
    return path, history


def add_evidence_head(task: TumorTask, config: TrainingConfig, checkpoint: Path, report: Report) -> None:
    """The tumor network's second stage: its best encoder stays, its head is fitted anew; the checkpoint is replaced."""
    state, _, history = load_checkpoint(checkpoint)
    network = TumorNetwork()
    network.load_state_dict(state)
    refit_head(network, task.freeze(network), config, report)
    save_checkpoint(checkpoint, network, config, history)
