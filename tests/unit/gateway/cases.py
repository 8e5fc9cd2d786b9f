"""Findings to judge, on a slice of 100 x 100 pixels with a head of 80 x 80 in it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.findings import Saliency
from gateway.judge.limits import JudgeLimits
from gateway.judge.policy import Case, judge
from gateway.schemas import Reason, Verdict
from service_kit.contracts.classification import TumorLabel
from service_kit.inference.region import Region
from tests.unit.gateway.fakes import tumor, view_answer

LIMITS = JudgeLimits(
    min_probability=0.8,
    min_view_probability=0.8,
    unknown_view_probability=0.5,
    max_share_without_tumor=0.01,
    max_mm2_without_tumor=100.0,
    min_heat_share=0.4,
    sella={"sagittal": Region(top=0.4, bottom=0.7, left=0.3, right=0.5)},
)
HEAD_PX = 6400


def head() -> NDArray[np.uint8]:
    """A bright square from 10 to 90 in both directions."""
    pixels = np.zeros((100, 100), np.uint8)
    pixels[10:90, 10:90] = 150
    return pixels


def square(row: float, column: float, half: int = 5) -> NDArray[np.bool_]:
    """A mask around a place in shares of the head's box."""
    mask = np.zeros((100, 100), np.bool_)
    y, x = round(10 + 80 * row), round(10 + 80 * column)
    mask[y - half : y + half, x - half : x + half] = True
    return mask


def first_px(count: int) -> NDArray[np.bool_]:
    """A mask of `count` pixels."""
    mask = np.zeros((100, 100), np.bool_)
    mask.flat[:count] = True
    return mask


def heat(label: TumorLabel = "glioma", *cells: tuple[int, int], weight: float = 1.0) -> Saliency:
    """A map of 10 x 10 positions over the slice that is `weight` at `cells`, else 0."""
    values = np.zeros((10, 10), np.float32)
    for row, column in cells:
        values[row, column] = weight
    return Saliency(values, (0.0, 0.0, 100.0, 100.0), label)


def case(**changes: Any) -> Case:
    """A glioma in the axial plane, clear and without contradiction, with `changes`."""
    return Case(**{"tumor": tumor(), "view": view_answer().view, "pixels": head(), **changes})


def judged(limits: JudgeLimits = LIMITS, noted: tuple[Reason, ...] = (), **changes: Any) -> tuple[Verdict, list[str]]:
    """The verdict on `case(**changes)`, and its reasons' codes."""
    verdict, reasons = judge(case(**changes), limits, noted)
    return verdict, [reason.code for reason in reasons]


def only_reason(**changes: Any) -> Reason:
    """The one reason against `case(**changes)`."""
    _, (reason,) = judge(case(**changes), LIMITS)
    return reason
