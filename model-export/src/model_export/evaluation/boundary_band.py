"""The boundary band of a segmentation model: fitted on out-of-fold outlines, judged on patients left out of the fit."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_export.evaluation.band_result import BandPoint, BandResult, Coverage, FormRow, SourceRow
from model_export.evaluation.conformal import attainable, conformal_bound, least_patients, rank
from model_export.evaluation.outline_pairs import OutlinePair
from model_export.evaluation.wilson import wilson_interval
from service_kit.contracts.segmentation import BoundaryBand

COVERAGE = 0.9
_MM3_PER_ML = 1000.0
_DECIMALS = 4
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Form:
    """One way to lay an interval: a measure's value, plus or minus a bound times its `scale`.

    `true`, `found` and `scale` give a patient's values `[m]`; one bound holds for all of them at once (the two
    diameters).
    """

    measure: str
    name: str
    true: Callable[[OutlinePair], tuple[float, ...]]
    found: Callable[[OutlinePair], tuple[float, ...]]
    scale: Callable[[OutlinePair], tuple[float, ...]]

    def scores(self, pairs: Sequence[OutlinePair]) -> Values:
        """By how many scales each patient's measure is off, at most `[n]`."""
        off = np.abs(self._values(self.true, pairs) - self._values(self.found, pairs))
        return np.asarray((off / self._values(self.scale, pairs)).max(axis=1))

    def ends(self, pairs: Sequence[OutlinePair], bounds: Values) -> tuple[Values, Values]:
        """Low and high ends `[n, m]` by each patient's bound `[n]`; none is below 0."""
        found, reach = self._values(self.found, pairs), bounds[:, None] * self._values(self.scale, pairs)
        return np.maximum(found - reach, 0.0), found + reach

    def relative_widths(self, pairs: Sequence[OutlinePair], bounds: Values) -> Values:
        """The intervals' widths over what was found `[n]`, the mean of both diameters."""
        low, high = self.ends(pairs, bounds)
        return np.asarray(((high - low) / self._values(self.found, pairs)).mean(axis=1))

    @staticmethod
    def _values(of: Callable[[OutlinePair], tuple[float, ...]], pairs: Sequence[OutlinePair]) -> Values:
        return np.array([of(pair) for pair in pairs], np.float64)


def _true_ml(pair: OutlinePair) -> tuple[float, ...]:
    return (pair.true_ml,)


def _found_ml(pair: OutlinePair) -> tuple[float, ...]:
    return (pair.found_ml,)


def _true_mm(pair: OutlinePair) -> tuple[float, ...]:
    return pair.true_longest_mm, pair.true_perpendicular_mm


def _found_mm(pair: OutlinePair) -> tuple[float, ...]:
    return pair.found_longest_mm, pair.found_perpendicular_mm


SURFACE = Form("volume", "mm times the surface", _true_ml, _found_ml, lambda pair: (pair.surface_mm2 / _MM3_PER_ML,))
MILLIMETERS = Form("diameters", "mm", _true_mm, _found_mm, lambda _: (1.0, 1.0))
OTHERS = (
    Form("volume", "share of the volume", _true_ml, _found_ml, _found_ml),
    Form("diameters", "share of the diameter", _true_mm, _found_mm, _found_mm),
)
"""What the published forms are compared with."""


def fit_band(name: str, pairs: Sequence[OutlinePair], coverage: float = COVERAGE) -> BandResult:
    """The band of the model `name`, and what it is worth.

    Patients in whom nothing was outlined are left out: they get no interval in service either.

    Raises:
        TooFewPatients: for this coverage.
    """
    outlined = [pair for pair in pairs if pair.found_ml > 0]
    place = rank(len(outlined), coverage)
    sources = sorted({pair.source for pair in outlined})
    folds = sorted({pair.fold for pair in outlined})
    counts = ", ".join(f"{sum(pair.source == source for pair in outlined)} {source} patients" for source in sources)
    rows = [_row(form, outlined, coverage, published=form not in OTHERS) for form in (SURFACE, MILLIMETERS, *OTHERS)]
    band = BoundaryBand(
        volume_mm=_rounded_up(rows[0].bound),
        diameter_mm=_rounded_up(rows[1].bound),
        coverage=coverage,
        fitted_on=f"{counts}, outlined by networks that never saw them (folds {', '.join(map(str, folds))})",
    )
    judged = [
        (form, bounds)
        for form in (SURFACE, MILLIMETERS)
        if (bounds := _bounds_without_each(form, outlined, coverage)) is not None
    ]
    return BandResult(
        name=name,
        band=band,
        patients=len(outlined),
        folds=tuple(folds),
        empty=len(pairs) - len(outlined),
        attainable=attainable(len(outlined)),
        largest_error=place == len(outlined),
        forms=tuple(rows),
        sources=tuple(_of_source(source, form, outlined, bounds) for source in sources for form, bounds in judged),
        points=tuple(point for form, bounds in judged for point in _points(form, outlined, bounds)),
    )


def _row(form: Form, pairs: Sequence[OutlinePair], coverage: float, *, published: bool) -> FormRow:
    scores = form.scores(pairs)
    alone, by_fold = _bounds_without_each(form, pairs, coverage), _bounds_without_fold(form, pairs, coverage)
    return FormRow(
        measure=form.measure,
        form=form.name,
        bound=conformal_bound(scores, coverage),
        left_out=None if alone is None else counted(scores <= alone),
        by_fold=None if by_fold is None else counted(scores <= by_fold),
        relative_width=None if alone is None else float(form.relative_widths(pairs, alone).mean()),
        published=published,
    )


def counted(covered: NDArray[np.bool_]) -> Coverage:
    """The share of `covered [n]` with its interval. Raises `ValueError` where there is nobody."""
    hits, count = int(covered.sum()), len(covered)
    low, high = wilson_interval(hits, count)
    return Coverage(covered=hits, patients=count, value=hits / count, low=low, high=high)


def _bounds_without_each(form: Form, pairs: Sequence[OutlinePair], coverage: float) -> Values | None:
    """The bound `[n]` that all others give each patient; None where they are too few."""
    if len(pairs) - 1 < least_patients(coverage):
        return None
    scores = form.scores(pairs)
    return np.array([conformal_bound(np.delete(scores, at), coverage) for at in range(len(scores))])


def _bounds_without_fold(form: Form, pairs: Sequence[OutlinePair], coverage: float) -> Values | None:
    """The bound `[n]` that the other folds' patients give each; None where they are too few."""
    scores, folds = form.scores(pairs), np.array([pair.fold for pair in pairs])
    if min(int((folds != fold).sum()) for fold in folds) < least_patients(coverage):
        return None
    return np.array([conformal_bound(scores[folds != fold], coverage) for fold in folds])


def _of_source(source: str, form: Form, pairs: Sequence[OutlinePair], bounds: Values) -> SourceRow:
    members = np.array([pair.source == source for pair in pairs])
    return SourceRow(
        source=source,
        measure=form.measure,
        left_out=counted((form.scores(pairs) <= bounds)[members]),
        relative_width=float(form.relative_widths(pairs, bounds)[members].mean()),
    )


def _points(form: Form, pairs: Sequence[OutlinePair], bounds: Values) -> list[BandPoint]:
    low, high = form.ends(pairs, bounds)
    return [
        BandPoint(
            measure=form.measure,
            true=form.true(pair)[0],
            found=form.found(pair)[0],
            low=float(low[at, 0]),
            high=float(high[at, 0]),
        )
        for at, pair in enumerate(pairs)
    ]


def _rounded_up(bound: float) -> float:
    """To four decimals, never below the bound: rounding must not uncover a patient."""
    scale = 10.0**_DECIMALS
    return math.ceil(bound * scale) / scale
