"""The training loop: one-cycle AdamW in bfloat16, an average of the weights, the best one by calibration patients."""

import copy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model_export.training.config import TrainingConfig

Report = Callable[[str], None]


class Task(Protocol):
    """What differs from network to network."""

    network: nn.Module

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """Positions to train on in this epoch, in order."""
        ...

    def loss(self, positions: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """The loss of one batch, in train mode, augmented."""
        ...

    def score(self, network: nn.Module) -> float:
        """How good `network` is on the calibration patients; higher is better."""
        ...


class WeightAverage:
    """An exponential moving average of parameters and running statistics."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self._decay = decay
        self._steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take one step toward `network`; the first steps are longer, so that the start is forgotten."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        source = network.state_dict()
        for key, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(source[key], 1 - decay)
            else:
                value.copy_(source[key])


def fit(task: Task, config: TrainingConfig, checkpoint: Path, report: Report) -> list[dict[str, float]]:
    """Train, keep the best average in `checkpoint`, and return one row an epoch: loss, score, seconds."""
    torch.manual_seed(config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    random = np.random.default_rng(config.seed)
    network = task.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = WeightAverage(network, config.ema_decay)
    steps_an_epoch = max(1, len(task.draw(np.random.default_rng(config.seed))) // config.batch)
    optimizer = torch.optim.AdamW(_decay_groups(network, config.weight_decay), lr=config.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.rate, total_steps=steps_an_epoch * config.epochs + 1, pct_start=config.warmup
    )
    history: list[dict[str, float]] = []
    for epoch in range(config.epochs):
        started, total = time.monotonic(), 0.0
        network.train()
        order = task.draw(random)
        for step in range(steps_an_epoch):
            batch = order[step * config.batch : (step + 1) * config.batch]
            loss = task.loss(batch, generator)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            average.update(network)
            total += float(loss.detach())
        score = task.score(average.network)
        row = {"epoch": epoch + 1, "loss": total / steps_an_epoch, "score": score, "s": time.monotonic() - started}
        if not history or score >= max(past["score"] for past in history):
            save_checkpoint(checkpoint, average.network, config, [*history, row])
        history.append(row)
        report(
            f"{config.name} epoch {epoch + 1}/{config.epochs}: loss {row['loss']:.4f}, calibration score {score:.4f}, "
            f"{row['s']:.0f} s, {steps_an_epoch * config.batch / row['s']:.0f} slices/s"
        )
    return history


def _decay_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    matrices = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def save_checkpoint(path: Path, network: nn.Module, config: TrainingConfig, history: list[dict[str, float]]) -> None:
    """Write weights, config and history; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    temporary = path.with_suffix(".tmp")
    torch.save({"state": state, "config": config.model_dump(), "history": history}, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], TrainingConfig, list[dict[str, float]]]:
    """Weights, config and history of `path`. Raises `FileNotFoundError` where the network was not trained yet."""
    saved = torch.load(path, weights_only=True)
    return saved["state"], TrainingConfig.model_validate(saved["config"]), saved["history"]
