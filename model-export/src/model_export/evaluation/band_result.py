"""What is said of a model's boundary band: frozen, so that it goes as it is into the report and its JSON."""

from pydantic import BaseModel, ConfigDict

from service_kit.contracts.segmentation import BoundaryBand


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Coverage(_Frozen):
    """How many patients' true values lay within their intervals, with the 95 % Wilson interval of the share."""

    covered: int
    patients: int
    value: float
    low: float
    high: float


class FormRow(_Frozen):
    """One way to lay an interval around a measure (`volume` or `diameters`), each patient judged by the others.

    `left_out` leaves one patient out at a time, `by_fold` a whole fold; None where too few are left to promise the
    coverage. `relative_width` is the mean of the intervals' widths over what was found. The bounds `below` and `above`
    are fitted on all.
    """

    measure: str
    form: str
    below: float
    above: float
    left_out: Coverage | None
    by_fold: Coverage | None
    relative_width: float | None
    published: bool


class SourceRow(_Frozen):
    """The published forms on one data set's patients, each left out in turn: share covered, mean relative width."""

    source: str
    measure: str
    left_out: Coverage
    relative_width: float


class BandPoint(_Frozen):
    """One patient's true value against the interval that the other patients gave; diameters are the longest."""

    measure: str
    true: float
    found: float
    low: float
    high: float


class BandResult(_Frozen):
    """One model's band.

    `attainable` is the largest coverage that this many patients can promise, `largest_error` whether the bounds are
    their largest errors. `empty` patients, in whom nothing was outlined, get no interval and have no say.
    """

    name: str
    band: BoundaryBand
    patients: int
    folds: tuple[int, ...]
    empty: int
    attainable: float
    largest_error: bool
    forms: tuple[FormRow, ...]
    sources: tuple[SourceRow, ...]
    points: tuple[BandPoint, ...]


class BandsEvaluation(_Frozen):
    """Every model with a band."""

    models: tuple[BandResult, ...]
