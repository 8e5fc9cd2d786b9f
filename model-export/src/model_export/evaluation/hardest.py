"""The slices on which a classifier is most wrong: listed in the cache and shown outside the repository alone."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.split import Fold
from model_export.datasets.tumor_set import tumor_samples
from model_export.datasets.view_set import view_samples
from model_export.evaluation.cases import Case, save_cases
from model_export.evaluation.cross_fitting import cross_fit
from model_export.evaluation.sections import Place
from model_export.evaluation.store import ClassifierPredictions

_LISTED, _SHOWN = 100, 5
_COLUMNS = ("key", "group", "source", "view", "fold", "true", "answered", "p_true", "p_answered")


def write_hardest(predictions: ClassifierPredictions, place: Place) -> None:
    """Write `<cache>/evaluation/hardest-<name>.csv`: the 100 slices of `t1_slices` whose true label is least likely.

    With `place.cases` also `<cases>/<name>.png`: the surest slices of each class and the hardest ones.
    """
    probabilities = cross_fit(predictions).probabilities
    of_truth = probabilities[np.arange(len(predictions)), predictions.truth]
    main = np.flatnonzero(predictions.main)
    worst = main[np.argsort(of_truth[main], kind="stable")][:_LISTED]
    path = place.cache / "evaluation" / f"hardest-{predictions.name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        for at in worst:
            answered = int(probabilities[at].argmax())
            writer.writerow(
                [
                    predictions.keys[at],
                    predictions.groups[at],
                    predictions.sources[at],
                    predictions.views[at],
                    int(predictions.folds[at]),
                    predictions.labels[int(predictions.truth[at])],
                    predictions.labels[answered],
                    f"{of_truth[at]:.4f}",
                    f"{probabilities[at, answered]:.4f}",
                ]
            )
    if place.cases is not None:
        _save_pictures(predictions, probabilities, place.root, place.cases)


def _save_pictures(
    predictions: ClassifierPredictions, probabilities: NDArray[np.float64], root: Path, folder: Path
) -> None:
    """A row of the surest and one of the hardest slices of each class."""
    read = view_samples if predictions.name == "view" else tumor_samples
    loaders: dict[str, Callable[[], NDArray[np.uint8]]] = {s.key: s.load for s in read(root, Fold(0))[0]}
    of_truth = probabilities[np.arange(len(predictions)), predictions.truth]
    rows = []
    for index, label in enumerate(predictions.labels):
        members = np.flatnonzero(predictions.main & (predictions.truth == index))
        order = members[np.argsort(of_truth[members], kind="stable")]
        for title, chosen in (("surest", order[::-1][:_SHOWN]), ("hardest", order[:_SHOWN])):
            cases = []
            for at in chosen:
                picture = loaders[str(predictions.keys[at])]()
                answer = predictions.labels[int(probabilities[at].argmax())]
                caption = f"{answer} {probabilities[at].max():.2f}\n{predictions.keys[at]}\n{predictions.groups[at]}"
                cases.append(Case(caption, picture, np.zeros_like(picture), np.zeros_like(picture)))
            if cases:
                rows.append((f"{label}, {title}", cases))
    save_cases(folder / f"{predictions.name}.png", rows)
