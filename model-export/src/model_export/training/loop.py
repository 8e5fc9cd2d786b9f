"""The training loop: one-cycle AdamW in bfloat16, an average of the weights, checkpoints from which a run goes on."""

import copy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from model_export.training.config import TrainingConfig
from model_export.training.volume_config import VolumeConfig

Report = Callable[[str], None]
_MAX_GRADIENT = 2.0
_MAX_SKIPPED = 0.05
"""Share of an epoch's steps that may have a gradient that is no number."""


class Diverged(RuntimeError):
    """A training that cannot go on; the message says what to change."""


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
        """How good `network` is on the validation patients; higher is better. Asked only where patience is set."""
        ...


@runtime_checkable
class Resizable(Protocol):
    """A task whose pictures can be made smaller for the first epochs."""

    size: int


class WeightAverage:
    """An exponential moving average of parameters and running statistics."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self.steps = 0
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take one step toward `network`; the first steps are longer, so that the start is forgotten."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        source = network.state_dict()
        for key, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(source[key], 1 - decay)
            else:
                value.copy_(source[key])


class Run:
    """One training: it can be stopped after any epoch and goes on where it was."""

    def __init__(self, task: Task, config: TrainingConfig, checkpoint: Path, report: Report) -> None:
        torch.manual_seed(config.seed)
        self._task, self._config, self._checkpoint, self._report = task, config, checkpoint, report
        self._generator = torch.Generator().manual_seed(config.seed)
        self._random = np.random.default_rng(config.seed)
        self._network = task.network.to(memory_format=memory_format(task.network))  # type: ignore[call-overload]
        self._average = WeightAverage(self._network, config.ema_decay)
        self._steps = max(1, len(task.draw(np.random.default_rng(config.seed))) // config.batch)
        self._optimizer = torch.optim.AdamW(_decay_groups(self._network, config.weight_decay), lr=config.rate)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, config.rate, total_steps=self._steps * config.epochs + 1, pct_start=config.warmup
        )
        self._history: list[dict[str, float]] = []
        self._resume()

    def fit(self) -> list[dict[str, float]]:
        """Train to the end and return one row an epoch: loss, seconds, and the score where one is asked for.

        The checkpoint holds the average of the weights after the last epoch (and is not written before), or with
        patience the one that scored best so far.
        """
        best = max((row["score"] for row in self._history if "score" in row), default=-np.inf)
        while len(self._history) < self._config.epochs:
            row = self._epoch(len(self._history))
            self._history.append(row)
            if self._config.patience:
                row["score"] = self._task.score(self._average.network)
            is_best = self._config.patience > 0 and row["score"] >= best
            is_last = not self._config.patience and len(self._history) == self._config.epochs
            if is_best or is_last:
                best = row.get("score", best)
                save_checkpoint(self._checkpoint, self._average.network, self._config, self._history)
            self._tell(row)
            self._keep()
            if self._config.patience and self._stale() >= self._config.patience:
                self._report(f"{self._config.name}: no better score for {self._config.patience} epochs, stopped")
                break
        self._resumable.unlink(missing_ok=True)
        return self._history

    @property
    def _resumable(self) -> Path:
        return self._checkpoint.with_suffix(".resume")

    def _epoch(self, epoch: int) -> dict[str, float]:
        started, total, skipped, config = time.monotonic(), 0.0, 0, self._config
        if isinstance(self._task, Resizable):
            self._task.size = config.size_at(epoch)
        self._network.train()
        order = self._task.draw(self._random)
        title, quiet = f"{config.name} {epoch + 1}/{config.epochs}", not sys.stdout.isatty()
        for step in track(range(self._steps), title, transient=True, disable=quiet):
            batch = order[step * config.batch : (step + 1) * config.batch]
            loss = self._task.loss(batch, self._generator)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.clip_grad_norm_(self._network.parameters(), _MAX_GRADIENT)
            if not torch.isfinite(norm):
                # One such step would make every weight NaN, and the epochs after it worthless.
                skipped += 1
                if skipped > _MAX_SKIPPED * self._steps:
                    raise Diverged(f"{title}: {skipped} steps had a gradient that is no number; lower the rate")
                self._schedule.step()
                continue
            self._optimizer.step()
            self._schedule.step()
            self._average.update(self._network)
            total += float(loss.detach())
        row = {"epoch": epoch + 1, "loss": total / max(self._steps - skipped, 1), "s": time.monotonic() - started}
        return row | ({"skipped_steps": skipped} if skipped else {})

    def _stale(self) -> int:
        scores = [row["score"] for row in self._history]
        return len(scores) - 1 - int(np.argmax(scores))

    def _tell(self, row: dict[str, float]) -> None:
        score = f", validation score {row['score']:.4f}" if "score" in row else ""
        skipped = f", {row['skipped_steps']:.0f} steps skipped" if "skipped_steps" in row else ""
        speed = self._steps * self._config.batch / row["s"]
        self._report(
            f"{self._config.name} {self._config.of_fold.label} epoch {row['epoch']:.0f}/{self._config.epochs}: "
            f"loss {row['loss']:.4f}{score}{skipped}, {row['s']:.0f} s, {speed:.3g} {self._config.unit}/s"
        )

    def _keep(self) -> None:
        state: dict[str, Any] = {
            "config": self._config.model_dump(),
            "network": self._network.state_dict(),
            "average": self._average.network.state_dict(),
            "average_steps": self._average.steps,
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "generator": self._generator.get_state(),
            "torch": torch.get_rng_state(),
            "random": self._random.bit_generator.state,
            "history": self._history,
        }
        _write(state, self._resumable)

    def _resume(self) -> None:
        if not self._resumable.exists():
            return
        state = torch.load(self._resumable, weights_only=True)
        if state["config"] != self._config.model_dump():
            return
        self._network.load_state_dict(state["network"])
        self._average.network.load_state_dict(state["average"])
        self._average.steps = state["average_steps"]
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._generator.set_state(state["generator"])
        torch.set_rng_state(state["torch"])
        self._random.bit_generator.state = state["random"]
        self._history = state["history"]
        self._report(f"{self._config.name}: goes on after epoch {len(self._history)}")


def fit(task: Task, config: TrainingConfig, checkpoint: Path, report: Report) -> list[dict[str, float]]:
    """Train `task` by `config` into `checkpoint`, or go on with a training that was stopped. Returns the history."""
    return Run(task, config, checkpoint, report).fit()


def memory_format(network: nn.Module) -> torch.memory_format:
    """Channels last, in two or three dimensions: what convolutions on a CPU are fastest in."""
    is_3d = any(parameter.ndim == 5 for parameter in network.parameters())
    return torch.channels_last_3d if is_3d else torch.channels_last


def _decay_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    matrices = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def save_checkpoint(path: Path, network: nn.Module, config: TrainingConfig, history: list[dict[str, float]]) -> None:
    """Write weights, config and history; whole or not at all."""
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    _write({"state": state, "config": config.model_dump(), "history": history}, path)


def _write(content: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".tmp")
    torch.save(content, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], TrainingConfig, list[dict[str, float]]]:
    """Weights, config and history of `path`. Raises `FileNotFoundError` where the network was not trained yet."""
    saved = torch.load(path, weights_only=True)
    kind = VolumeConfig if "spacing_mm" in saved["config"] else TrainingConfig
    return saved["state"], kind.model_validate(saved["config"]), saved["history"]
