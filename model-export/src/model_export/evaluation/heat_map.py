"""What is said of the tumor model's heat map: frozen, for the report, its JSON and the card."""

from pydantic import BaseModel, ConfigDict

from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.occlusion import FRACTIONS


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Pointing(_Frozen):
    """Where a map lies against the published outline: `hit` the share of slices whose hottest position touches it.

    `inside` is the mean share of the heat on positions that touch it.
    """

    label: str
    hit: Estimate
    inside: Estimate


class Curve(_Frozen):
    """The mean probability of the answered class over `FRACTIONS`, and the area under it."""

    label: str
    deletion: tuple[float, ...]
    insertion: tuple[float, ...]
    deletion_area: Estimate
    insertion_area: Estimate


class Advantage(_Frozen):
    """Paired over slices, signed so that above zero the heat map is the better order."""

    against: str
    deletion: Estimate
    insertion: Estimate


class Agreement(_Frozen):
    """Spearman's rank correlation of the published map with Grad-CAM at one layer; `flat` maps without ranks."""

    layer: str
    correlation: Estimate
    median: float
    flat: int


class Faithfulness(_Frozen):
    """Everything that is said of the heat map of the class that the product shows it for."""

    slices: int
    curve_slices: int
    side: int
    pointing: tuple[Pointing, ...]
    fractions: tuple[float, ...] = FRACTIONS
    curves: tuple[Curve, ...]
    advantages: tuple[Advantage, ...]
    agreements: tuple[Agreement, ...]
