"""A seeded training, done again: does it give the figure that is published?"""

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from model_export.datasets.split import Fold
from model_export.evaluation.bootstrap import Estimate, group_bootstrap
from model_export.evaluation.metrics import accuracy
from model_export.evaluation.reproduction_result import Reproduction
from model_export.evaluation.store import read_classifier
from model_export.publishing import predict
from model_export.repository import Workplace
from model_export.training.loop import load_checkpoint
from model_export.training.run import checkpoint_path, recipe, train_network


def reproduce(name: str, place: Workplace, seed: int, report: Callable[[str], None], threads: int) -> Reproduction:
    """Train a small classifier of the zoo once more, away from the first one's files, and judge both alike.

    It is reproduced where the new figure lies within the first one's interval.

    Raises:
        FileNotFoundError: the network was not trained or did not predict yet.
    """
    fold = Fold(0, seed)
    first = _accuracy(place.cache, name, fold)
    with TemporaryDirectory() as folder:
        other = Workplace(place.root, Path(folder), place.models)
        (other.cache / "pictures").symlink_to((place.cache / "pictures").resolve())
        view = checkpoint_path(place.cache, "view", fold)
        if view.exists():
            checkpoint_path(other.cache, "view", fold).parent.mkdir(parents=True)
            shutil.copy(view, checkpoint_path(other.cache, "view", fold))
        train_network(other.root, other.cache, recipe(name).for_fold(fold), report, threads=threads)
        predict(name, other, fold, report)
        again = _accuracy(other.cache, name, fold)
        old, _, _ = load_checkpoint(checkpoint_path(place.cache, name, fold))
        new, _, _ = load_checkpoint(checkpoint_path(other.cache, name, fold))
    difference = max(float(torch.max(torch.abs(old[key].float() - new[key].float()))) for key in old)
    return Reproduction(
        name=name,
        seed=seed,
        published=first,
        again=again,
        largest_weight_difference=difference,
        reproduced=first.low <= again.value <= first.high,
    )


def _accuracy(cache: Path, name: str, fold: Fold) -> Estimate:
    found = read_classifier(cache, name, [fold])
    main = np.flatnonzero(found.main)
    truth, predicted = found.truth[main], found.logits[main].argmax(axis=1)
    return group_bootstrap(found.groups[main].tolist(), lambda at: accuracy(truth[at], predicted[at]))
