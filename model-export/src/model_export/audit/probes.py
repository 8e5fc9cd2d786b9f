"""Shortcut probes: how well the label is told from what says nothing about the disease, by grouped cross-validation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin  # type: ignore[import-untyped]
from sklearn.ensemble import ExtraTreesClassifier  # type: ignore[import-untyped]
from sklearn.model_selection import StratifiedGroupKFold  # type: ignore[import-untyped]
from sklearn.neighbors import KNeighborsClassifier  # type: ignore[import-untyped]

from model_export.audit.findings import Probe
from model_export.audit.pictures import SIDE, Picture
from model_export.evaluation.bootstrap import group_bootstrap

FAR = 0.1
"""How far above chance the interval's lower end must lie for a probe to be flagged."""
FAR_OF_NULL = 0.03
"""The same for shuffled labels, which nothing but a leak can tell."""
_FOLDS = 5
_LEAST = 5
_TREES = 60
_RESAMPLES = 300
_THUMBNAIL = 16
_FRAME_PX = 2


class TooFewPictures(ValueError):
    """The set is too small, or has too few groups a class, for cross-validation."""


@dataclass(frozen=True, slots=True)
class _Look:
    name: str
    detail: str
    see: Callable[[Picture], NDArray[np.float32]]


def _size(picture: Picture) -> NDArray[np.float32]:
    w, h = picture.width, picture.height
    return np.array([w, h, w / h, w * h], np.float32)


def _border(picture: Picture) -> NDArray[np.float32]:
    plain, d = picture.plain.astype(np.float32), _FRAME_PX
    sides = (plain[:d].mean(0), plain[-d:].mean(0), plain[:, :d].mean(1), plain[:, -d:].mean(1))
    return np.asarray(np.concatenate(sides).reshape(-1, 4).mean(axis=1), np.float32)


def _background(picture: Picture) -> NDArray[np.float32]:
    outside = picture.plain[picture.outline == 0].astype(np.float32)
    if not len(outside):
        return np.full(8, -1, np.float32)
    quantiles = np.quantile(outside, (0.05, 0.25, 0.5, 0.75, 0.95))
    return np.array([outside.mean(), outside.std(), float((outside == 0).mean()), *quantiles], np.float32)


def _headless(picture: Picture) -> NDArray[np.float32]:
    plain = picture.plain.copy()
    outside = plain[picture.outline == 0]
    plain[picture.outline > 0] = np.uint8(np.median(outside)) if len(outside) else 0
    return _thumbnail(plain)


def _thumbnail(square: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = cv2.resize(square, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()


_LOOKS = (
    _Look("picture size", "width, height and their ratio", _size),
    _Look("border pixels", f"the outermost {_FRAME_PX} of {SIDE} rows and columns", _border),
    _Look("background statistics", "mean, spread and quantiles outside the head's convex outline", _background),
    _Look("head masked out", f"a {_THUMBNAIL} x {_THUMBNAIL} thumbnail, the head's outline filled", _headless),
)


def run_probes(
    pictures: Sequence[Picture],
    labels: Sequence[str],
    groups: Sequence[str],
    merged: Sequence[str],
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> list[Probe]:
    """All probes.

    The shortcut probes are validated by `merged` groups, so that copies cannot help. The null test deals the labels
    anew to whole merged groups, so that nothing but a leak can tell them, and looks for the nearest thumbnail.
    Validated by `groups` it is above chance where copies lie in two of them; by `merged` it must not be.

    Args:
        pictures: the readable pictures that have a label.
        labels: the class of each.
        groups: the group of each, as the set says.
        merged: the group of each, groups with copies of each other being one.
        seed: of the folds, the trees and the shuffling.
        report: told the name of each probe before it starts.

    Raises:
        TooFewPictures: a class has pictures of fewer than five groups, or there is one class only.
    """
    truth = np.unique(np.asarray(labels), return_inverse=True)[1]
    _refuse_small(truth, merged)
    probes = []
    for look in _LOOKS:
        report(look.name)
        features = np.stack([look.see(picture) for picture in pictures])
        trees = ExtraTreesClassifier(_TREES, min_samples_leaf=3, class_weight="balanced", n_jobs=1, random_state=seed)
        probes.append(_probe(look.name, look.detail, features, truth, merged, trees, seed))
    thumbnails = np.stack([_thumbnail(picture.upright) for picture in pictures])
    shuffled = _shuffled(truth, merged, seed)
    arms = [("shuffled labels", groups, "labels dealt anew to whole groups; the nearest thumbnail answers")]
    if list(groups) != list(merged):
        arms.append(("shuffled labels, groups merged", merged, "the same, groups that hold copies being one group"))
    for name, members, detail in arms:
        report(name)
        probes.append(_probe(name, detail, thumbnails, shuffled, members, KNeighborsClassifier(1), seed, FAR_OF_NULL))
    return probes


def _refuse_small(truth: NDArray[np.int64], groups: Sequence[str]) -> None:
    names = np.asarray(groups)
    held = [len(set(names[truth == label])) for label in range(int(truth.max()) + 1)]
    if len(held) < 2:
        raise TooFewPictures("there is one class only")
    if min(held) < _LEAST:
        raise TooFewPictures(f"a class has pictures of {min(held)} groups; cross-validation needs {_LEAST}")


def _shuffled(truth: NDArray[np.int64], groups: Sequence[str], seed: int) -> NDArray[np.int64]:
    """Every group gets the most frequent label of another group, all its pictures the same."""
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    votes = np.zeros((len(names), int(truth.max()) + 1), np.int64)
    np.add.at(votes, (member, truth), 1)
    dealt: NDArray[np.int64] = np.random.default_rng(seed).permutation(votes.argmax(axis=1))[member]
    return dealt


def _probe(
    name: str,
    detail: str,
    features: NDArray[np.float32],
    truth: NDArray[np.int64],
    groups: Sequence[str],
    model: ClassifierMixin,
    seed: int,
    far: float = FAR,
) -> Probe:
    members = np.asarray(groups)
    answers = np.full(len(truth), -1)
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(features, truth, members):
        answers[test] = model.fit(features[train], truth[train]).predict(features[test])
    right, classes = answers == truth, int(truth.max()) + 1

    def balanced(chosen: NDArray[np.int64]) -> float:
        total = np.bincount(truth[chosen], minlength=classes)
        hits = np.bincount(truth[chosen], weights=right[chosen], minlength=classes)
        return float((hits[total > 0] / total[total > 0]).mean())

    accuracy = group_bootstrap(list(groups), balanced, resamples=_RESAMPLES, seed=seed)
    chance = 1 / classes
    return Probe(name=name, accuracy=accuracy, chance=chance, flagged=accuracy.low > chance + far, detail=detail)
