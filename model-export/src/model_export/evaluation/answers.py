"""Answers that are judged together, with the weights that give their figures intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_export.evaluation import resampling
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.classification import Curve, CvFigure, ShareRow
from model_export.evaluation.resampling import Figures, Weights, group_weights
from model_export.evaluation.store import ClassifierPredictions

Positions = NDArray[np.int64]
_CURVE_POINTS = 160


@dataclass(frozen=True)
class Answers:
    """Slices that are judged together: `truth` and `predicted` are positions in `labels`, `weights [B, N]`."""

    labels: tuple[str, ...]
    truth: Positions
    predicted: Positions
    probabilities: NDArray[np.float64]
    groups: NDArray[np.str_]
    folds: Positions
    weights: Weights

    @property
    def everything(self) -> Positions:
        """The positions of all slices."""
        return np.arange(len(self.truth))

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which answers are right."""
        return np.asarray(self.truth == self.predicted)

    def confusions(self, at: Positions, weights: Weights) -> Figures:
        """Confusion matrices of the slices at `at`."""
        return resampling.confusions(self.truth[at], self.predicted[at], len(self.labels), weights)

    def cross_validated(self, figure: resampling.Weighted, pooled: float, at: Positions | None = None) -> CvFigure:
        """The figure's mean over the folds, beside its value on all slices."""
        mean, folds = resampling.mean_over_folds(
            figure, self.everything if at is None else at, self.folds, self.weights, self.groups
        )
        return CvFigure(mean=mean, pooled=pooled, folds=folds)

    def estimate(self, figure: resampling.Weighted, at: Positions | None = None) -> Estimate:
        """The figure on all slices (or those at `at`) in one pot."""
        return resampling.estimate(figure, self.everything if at is None else at, self.weights, self.groups)


def answers_of(
    predictions: ClassifierPredictions, probabilities: NDArray[np.float64], members: NDArray[np.bool_]
) -> Answers:
    """The members' answers, with the weights of 1,000 resamples of their groups."""
    groups, folds = predictions.groups[members], predictions.folds[members]
    return Answers(
        labels=predictions.labels,
        truth=predictions.truth[members],
        predicted=probabilities[members].argmax(axis=1),
        probabilities=probabilities[members],
        groups=groups,
        folds=folds,
        weights=group_weights(groups, folds),
    )


def share_rows(answers: Answers, hits: NDArray[np.bool_], kinds: NDArray[np.str_]) -> tuple[ShareRow, ...]:
    """The share of `hits [N]` among each kind of slice; slices of unknown kind ("") are left out."""
    share = lambda at, weights: resampling.mean(hits[at], weights)  # noqa: E731
    return tuple(
        ShareRow(label=str(kind), share=answers.estimate(share, np.flatnonzero(kinds == kind)))
        for kind in np.unique(kinds)
        if kind
    )


def thinned(label: str, x: NDArray[np.float64], y: NDArray[np.float64]) -> Curve:
    """A curve of at most 160 points, ends kept, four decimals."""
    at = np.unique(np.linspace(0, len(x) - 1, min(len(x), _CURVE_POINTS)).round().astype(int))
    return Curve(label=label, x=tuple(round(float(v), 4) for v in x[at]), y=tuple(round(float(v), 4) for v in y[at]))
