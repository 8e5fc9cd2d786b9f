"""How the window slides over a volume: Dice against CPU seconds, by overlap and mirroring, on one fold's test cases."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from model_export.datasets.brats import SEQUENCES, brats_cases, brats_split, truth_of
from model_export.datasets.split import Fold
from model_export.datasets.volumes import VolumeCase
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.mean_interval import group_mean
from model_export.evaluation.overlap import dice_scores, overlap_counts
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.volume_predictions import segment_case
from service_kit.inference.tumor_regions import regions_of
from service_kit.inference.volume import VolumePreprocessing

TOLERANCE = 0.005
"""The cheapest window is taken whose mean Dice is at most this far below the best one's."""


class Window(BaseModel):
    """Tiles `step` of a patch apart; each is mirrored along every combination of the axes `mirrored`."""

    model_config = ConfigDict(frozen=True)

    step: float
    mirrored: tuple[int, ...] = ()


WINDOWS = (
    Window(step=1.0),
    Window(step=0.75),
    Window(step=0.5),
    Window(step=0.33),
    Window(step=0.75, mirrored=(0,)),
    Window(step=0.5, mirrored=(0,)),
    Window(step=0.5, mirrored=(0, 1, 2)),
)


class WindowRow(BaseModel):
    """One window: mean Dice a case (the mean of its regions) and CPU seconds a case, preparation and all."""

    model_config = ConfigDict(frozen=True)

    window: Window
    dice: Estimate
    cpu_s: float


class WindowResult(BaseModel):
    """What was measured of one network, and the window that the rule takes."""

    model_config = ConfigDict(frozen=True)

    name: str
    rows: tuple[WindowRow, ...]
    chosen: Window

    def dump(self, cache: Path) -> None:
        """Keep it where `publish` finds it."""
        path = window_path(cache, self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def window_path(cache: Path, name: str) -> Path:
    """Where the choice for a network is kept."""
    return cache / "windows" / f"{name}.json"


def with_chosen_window(preprocessing: VolumePreprocessing, cache: Path, name: str) -> VolumePreprocessing:
    """The preprocessing with the window that was chosen for `name`, or as it is where none was."""
    path = window_path(cache, name)
    if not path.exists():
        return preprocessing
    chosen = WindowResult.model_validate_json(path.read_bytes()).chosen
    return preprocessing.model_copy(update={"step": chosen.step, "mirrored": chosen.mirrored})


def choose_window(rows: Sequence[WindowRow]) -> Window:
    """The cheapest window within `TOLERANCE` of the best Dice. Raises `ValueError` where there is none."""
    if not rows:
        raise ValueError("no window was measured")
    best = max(row.dice.value for row in rows)
    return min((row for row in rows if row.dice.value >= best - TOLERANCE), key=lambda row: row.cpu_s).window


def measure_windows(model: PublishedModel, root: Path, fold: Fold, windows: Sequence[Window] = WINDOWS) -> WindowResult:
    """Let the fold's network answer for its test cases under every window.

    Raises:
        ValueError: the model reads no volumes, or the fold leaves no case.
    """
    preprocessing = model.manifest.volume
    if preprocessing is None:
        raise ValueError(f"{model.manifest.name} reads no volumes")
    dices: dict[Window, dict[str, float]] = {window: {} for window in windows}
    seconds = dict.fromkeys(windows, 0.0)
    test = brats_split(root, fold).test
    for case in (VolumeCase(found.path) for found in brats_cases(root) if found.group in test):
        truth = regions_of(truth_of(case))
        for window in windows:
            started = time.process_time()
            sliding = preprocessing.model_copy(update=window.model_dump())
            found = regions_of(segment_case(model, case, SEQUENCES, sliding))
            seconds[window] += time.process_time() - started
            counts = [overlap_counts(mask, of_truth) for mask, of_truth in zip(found, truth, strict=True)]
            dices[window][case.group] = float(dice_scores(np.stack(counts)).mean())
    rows = tuple(
        WindowRow(
            window=window,
            dice=group_mean(list(dices[window]), list(dices[window].values())),
            cpu_s=seconds[window] / len(dices[window]),
        )
        for window in windows
    )
    return WindowResult(name=model.manifest.name, rows=rows, chosen=choose_window(rows))
