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
    """One way to lay an interval: a measure's value, minus and plus a bound times its `scale`.

    `true`, `found` and `scale` give a patient's values `[m]`; one bound holds for all of them at once (the two
    diameters). `two_sided`: each end has a bound of its own and half of what may be missed.
    """

    measure: str
    name: str
    true: Callable[[OutlinePair], tuple[float, ...]]
    found: Callable[[OutlinePair], tuple[float, ...]]
    scale: Callable[[OutlinePair], tuple[float, ...]]
    two_sided: bool = False

    def least(self, coverage: float) -> int:
        """How many patients a fit takes."""
        return least_patients((1 + coverage) / 2 if self.two_sided else coverage)

    def errors(self, pairs: Sequence[OutlinePair]) -> Values:
        """By how many scales each patient's true values lie above what was found `[n, m]`."""
        return np.asarray(
            (self._values(self.true, pairs) - self._values(self.found, pairs)) / self._values(self.scale, pairs)
        )

    def fit(self, errors: Values, coverage: float) -> Values:
        """The bounds (below, above) `[2]` for `errors [n, m]`, neither below 0. Raises `TooFewPatients`."""
        if not self.two_sided:
            return np.full(2, conformal_bound(np.abs(errors).max(axis=1), coverage))
        ends = [conformal_bound((sign * errors).max(axis=1), (1 + coverage) / 2) for sign in (-1, 1)]
        # What was found is inside, also where every network found too little.
        return np.maximum(ends, 0.0)

    def covered(self, pairs: Sequence[OutlinePair], bounds: Values) -> NDArray[np.bool_]:
        """Whose true values lie within each patient's bounds `[n, 2]`: `[n]`."""
        errors = self.errors(pairs)
        return np.asarray(((-bounds[:, :1] <= errors) & (errors <= bounds[:, 1:])).all(axis=1))

    def ends(self, pairs: Sequence[OutlinePair], bounds: Values) -> tuple[Values, Values]:
        """Low and high ends `[n, m]` by each patient's bounds `[n, 2]`; none is below 0."""
        found, scale = self._values(self.found, pairs), self._values(self.scale, pairs)
        return np.maximum(found - bounds[:, :1] * scale, 0.0), found + bounds[:, 1:] * scale

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


def _surface(pair: OutlinePair) -> tuple[float, ...]:
    return (pair.surface_mm2 / _MM3_PER_ML,)


SURFACE = Form("volume", "mm times the surface", _true_ml, _found_ml, _surface)
UNEVEN = Form("volume", "mm times the surface, each end its own", _true_ml, _found_ml, _surface, two_sided=True)
MILLIMETERS = Form("diameters", "mm", _true_mm, _found_mm, lambda _: (1.0, 1.0))
_VOLUME_SHARE = Form("volume", "share of the volume", _true_ml, _found_ml, _found_ml)
_DIAMETER_SHARE = Form("diameters", "share of the diameter", _true_mm, _found_mm, _found_mm)
FORMS = (SURFACE, UNEVEN, _VOLUME_SHARE, MILLIMETERS, _DIAMETER_SHARE)
"""All that are compared."""
# One bound for both ends: a network that errs to one side on one data set need not on the next.
_PUBLISHED = (SURFACE, MILLIMETERS)


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
    fitted = [form for form in FORMS if len(outlined) >= form.least(coverage)]
    volume_mm, diameter_mm = (form.fit(form.errors(outlined), coverage)[1] for form in _PUBLISHED)
    band = BoundaryBand(
        volume_mm=_rounded_up(volume_mm),
        diameter_mm=_rounded_up(diameter_mm),
        coverage=coverage,
        fitted_on=f"{counts}, outlined by networks that never saw them (folds {', '.join(map(str, folds))})",
    )
    judged = [
        (form, bounds) for form in _PUBLISHED if (bounds := _bounds_without_each(form, outlined, coverage)) is not None
    ]
    return BandResult(
        name=name,
        band=band,
        patients=len(outlined),
        folds=tuple(folds),
        empty=len(pairs) - len(outlined),
        attainable=attainable(len(outlined)),
        largest_error=place == len(outlined),
        forms=tuple(_row(form, outlined, coverage, published=form in _PUBLISHED) for form in fitted),
        sources=tuple(_of_source(source, form, outlined, bounds) for source in sources for form, bounds in judged),
        points=tuple(point for form, bounds in judged for point in _points(form, outlined, bounds)),
    )


def _row(form: Form, pairs: Sequence[OutlinePair], coverage: float, *, published: bool) -> FormRow:
    below, above = form.fit(form.errors(pairs), coverage)
    alone, by_fold = _bounds_without_each(form, pairs, coverage), _bounds_without_fold(form, pairs, coverage)
    return FormRow(
        measure=form.measure,
        form=form.name,
        below=float(below),
        above=float(above),
        left_out=None if alone is None else counted(form.covered(pairs, alone)),
        by_fold=None if by_fold is None else counted(form.covered(pairs, by_fold)),
        relative_width=None if alone is None else float(form.relative_widths(pairs, alone).mean()),
        published=published,
    )


def counted(covered: NDArray[np.bool_]) -> Coverage:
    """The share of `covered [n]` with its interval. Raises `ValueError` where there is nobody."""
    hits, count = int(covered.sum()), len(covered)
    low, high = wilson_interval(hits, count)
    return Coverage(covered=hits, patients=count, value=hits / count, low=low, high=high)


def _bounds_without_each(form: Form, pairs: Sequence[OutlinePair], coverage: float) -> Values | None:
    """The bounds `[n, 2]` that all others give each patient; None where they are too few."""
    if len(pairs) - 1 < form.least(coverage):
        return None
    errors = form.errors(pairs)
    return np.stack([form.fit(np.delete(errors, at, axis=0), coverage) for at in range(len(errors))])


def _bounds_without_fold(form: Form, pairs: Sequence[OutlinePair], coverage: float) -> Values | None:
    """The bounds `[n, 2]` that the other folds' patients give each; None where they are too few."""
    errors, folds = form.errors(pairs), np.array([pair.fold for pair in pairs])
    if min(int((folds != fold).sum()) for fold in folds) < form.least(coverage):
        return None
    return np.stack([form.fit(errors[folds != fold], coverage) for fold in folds])


def _of_source(source: str, form: Form, pairs: Sequence[OutlinePair], bounds: Values) -> SourceRow:
    members = np.array([pair.source == source for pair in pairs])
    return SourceRow(
        source=source,
        measure=form.measure,
        left_out=counted(form.covered(pairs, bounds)[members]),
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
