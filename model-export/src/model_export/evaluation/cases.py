"""Pictures of the best and the worst masks, to be looked at on this machine: never inside the repository."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from model_export.evaluation.ground import GroundSlice, ground_of
from model_export.evaluation.mask_cut import restored
from model_export.evaluation.segmentation import LggSegmentation, T1Segmentation
from model_export.evaluation.store import SegmenterPredictions
from model_export.evaluation.style import GREEN, ORANGE, new_figure
from service_kit.inference.manifest import Postprocessing
from service_kit.inference.postprocessing import postprocess
from service_kit.inference.preprocessing import Preprocessing

_EACH = 4


@dataclass(frozen=True)
class Case:
    """A picture `[rows, columns]` with its truth and the mask that was found, 0/1."""

    caption: str
    picture: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def check_outside(folder: Path) -> None:
    """Raises `ValueError` where `folder` lies in a work tree: patients' pictures never enter a repository."""
    resolved = folder.resolve()
    for parent in (resolved, *resolved.parents):
        if (parent / ".git").exists():
            raise ValueError(f"{folder} lies inside the repository {parent.name}: choose a folder outside for --cases")


def save_cases(path: Path, rows: Sequence[tuple[str, Sequence[Case]]]) -> None:
    """One row of pictures a title; the truth's border is green, the found one orange.

    Raises:
        ValueError: `path` lies in a work tree.
    """
    check_outside(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = max(len(cases) for _, cases in rows)
    figure, _ = new_figure(1, width=2.6 * columns, height=2.9 * len(rows))
    figure.clear()
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, (title, cases) in zip(grid, rows, strict=True):
        for axes, case in zip(line, cases, strict=False):
            axes.imshow(case.picture, cmap="gray", vmin=0, vmax=255)
            for plane, color in ((case.truth, GREEN), (case.mask, ORANGE)):
                if plane.any() and not plane.all():
                    axes.contour(plane, levels=[0.5], colors=[color], linewidths=1.2)
            axes.set_title(f"{title}: {case.caption}", fontsize=7.5, loc="center")
        for axes in line:
            axes.set_axis_off()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def extremes(
    values: NDArray[np.float64], groups: NDArray[np.str_], count: int = _EACH
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the best and of the worst values, the most extreme first; one a group, because slices of a patient
    (and copies of a slice) look alike.
    """
    order = np.argsort(values, kind="stable")
    return _one_a_group(order[::-1], groups, count), _one_a_group(order, groups, count)


def _one_a_group(order: NDArray[np.int64], groups: NDArray[np.str_], count: int) -> NDArray[np.int64]:
    _, first = np.unique(groups[order], return_index=True)
    return np.asarray(order[np.sort(first)][:count], np.int64)


def save_t1_cases(
    folder: Path,
    result: T1Segmentation,
    predictions: SegmenterPredictions,
    ground: dict[str, GroundSlice],
    preprocessing: Preprocessing,
) -> list[Path]:
    """`seg-t1-<class>.png` with the best and the worst slices of each class. Returns the files."""
    outlined = [at for at, key in enumerate(predictions.keys) if ground_of(ground, str(key)).load()[1].any()]
    values = np.array(result.overall.values)
    if len(values) != len(outlined):
        raise ValueError("the result is of other predictions")
    labels, groups = predictions.labels[outlined], predictions.groups[outlined]
    written = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        best, worst = (members[which] for which in extremes(values[members], groups[members]))
        rows = [
            (title, [_case(predictions, outlined[at], values[at], ground, preprocessing, result.cuts) for at in chosen])
            for title, chosen in (("best", best), ("worst", worst))
        ]
        written.append(folder / f"seg-t1-{label}.png")
        save_cases(written[-1], rows)
    return written


def save_lgg_cases(
    folder: Path,
    result: LggSegmentation,
    predictions: SegmenterPredictions,
    ground: dict[str, GroundSlice],
    preprocessing: Preprocessing,
) -> Path:
    """`seg-flair-film.png`: of the best and the worst patients the slice with the largest tumor. Returns the file."""
    names, values = np.unique(predictions.groups), np.array(result.volume.values)
    if len(values) != len(names):
        raise ValueError("the result is of other predictions")
    rows = []
    for title, chosen in zip(("best", "worst"), extremes(values, names), strict=True):
        cases = []
        for at in chosen:
            members = np.flatnonzero(predictions.groups == names[at])
            sizes = [int(ground_of(ground, str(predictions.keys[m])).load()[1].sum()) for m in members]
            slice_at = int(members[int(np.argmax(sizes))])
            cases.append(_case(predictions, slice_at, values[at], ground, preprocessing, result.cuts))
        rows.append((title, cases))
    save_cases(folder / "seg-flair-film.png", rows)
    return folder / "seg-flair-film.png"


def _case(
    predictions: SegmenterPredictions,
    at: int,
    value: float,
    ground: dict[str, GroundSlice],
    preprocessing: Preprocessing,
    cuts: dict[str, Postprocessing],
) -> Case:
    key = str(predictions.keys[at])
    picture, truth = ground_of(ground, key).load()
    plane = restored(predictions.planes["full"][at])
    mask = postprocess(plane, preprocessing.place(picture), cuts[str(predictions.folds[at])])
    return Case(f"Dice {value:.2f}\n{key}\n{predictions.groups[at]}", picture, truth, mask)
