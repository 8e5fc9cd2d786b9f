"""The slices on which a classifier is most wrong: listed in the cache only, for they name patients' pictures."""

import csv

import numpy as np

from model_export.evaluation.cross_fitting import cross_fit
from model_export.evaluation.sections import Place
from model_export.evaluation.store import ClassifierPredictions

_LISTED = 100
_COLUMNS = ("key", "group", "source", "view", "fold", "true", "answered", "p_true", "p_answered")


def write_hardest(predictions: ClassifierPredictions, place: Place) -> None:
    """Write `<cache>/evaluation/hardest-<name>.csv`: the 100 slices of `t1_slices` whose true label is least likely."""
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
