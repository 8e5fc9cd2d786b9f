"""What a DICOM header says about a slice beyond its pixels: spacing, plane, sequence. Reads tags, keeps no text."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from service_kit.contracts.classification import ViewLabel
from service_kit.contracts.common import Sequence

KEYWORDS = (
    "PixelSpacing", "ImageOrientationPatient", "SeriesDescription", "ProtocolName", "ContrastBolusAgent",
    "ScanningSequence", "RepetitionTime", "EchoTime", "InversionTime", "BodyPartExamined",
)  # fmt: skip
GROUP_KEYWORDS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")

MIN_COSINE = 0.766
"""A plane tilted by up to 40 degrees still has its name; nearer to 45 degrees two names would fit."""

_PLANES: tuple[ViewLabel, ...] = ("sagittal", "coronal", "axial")  # by the normal's axis: x, y, z
_FLAIR = re.compile(r"flair|dark[ _-]?fluid|tirm")
_T2 = re.compile(r"(?<![a-z0-9])t2(?!\*|star|_?\*)")
_T1 = re.compile(r"(?<![a-z0-9])t1|mprage|mp-rage|bravo|fspgr|(?<![a-z])spgr")
_CONTRAST = re.compile(
    r"t1[ _-]?(ce|c|gd|km|post)(?![a-z])|\+ ?(c|gd|km)(?![a-z])|gad|post|contrast|(?<![a-z])(gd|km|ce)(?![a-z])"
)
_NO_CONTRAST = re.compile(r"pre|without|w/o|nativ|non[ _-]?contrast|no[ _-]?contrast")
_NOT_AN_AGENT = frozenset({"", "no", "none", "n", "0", "without", "na", "n/a"})


class Header(Protocol):
    """The one thing needed of a DICOM data set."""

    def get(self, key: str, default: Any = None) -> Any:
        """The value of an element by keyword, or `default`."""


@dataclass(frozen=True, slots=True)
class SliceGeometry:
    """`spacing_mm` is (between rows, between columns); each field is None where the header is silent or unclear.

    `orientation` is ImageOrientationPatient: the directions in the patient (left, posterior, superior) in which the
    columns' and the rows' numbers grow. It is there where `view` is.
    """

    spacing_mm: tuple[float, float] | None
    view: ViewLabel | None
    sequence: Sequence | None
    orientation: tuple[float, ...] | None = None


def read(header: Header) -> SliceGeometry:
    """The geometry of a single frame; functional groups are asked where the slice's own tags are missing."""
    groups = list(_functional_groups(header))
    spacing = numbers(_first(header, groups, "PixelMeasuresSequence", "PixelSpacing"), 2)
    orientation = numbers(_first(header, groups, "PlaneOrientationSequence", "ImageOrientationPatient"), 6)
    view = plane(orientation) if orientation else None
    return SliceGeometry(
        spacing_mm=(spacing[0], spacing[1]) if spacing and all(0.01 <= value <= 100 for value in spacing) else None,
        view=view,
        sequence=sequence_of(header),
        orientation=tuple(orientation) if orientation and view else None,
    )


def plane(orientation: list[float]) -> ViewLabel | None:
    """The plane whose axis the normal of `orientation` (row cosines, column cosines) is nearest to."""
    (a, b, c), (d, e, f) = orientation[:3], orientation[3:]
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    length = math.hypot(*normal)
    if length < 0.5:
        return None
    cosines = [abs(component) / length for component in normal]
    largest = max(cosines)
    return _PLANES[cosines.index(largest)] if largest >= MIN_COSINE else None


def sequence_of(header: Header) -> Sequence | None:
    """The sequence by the series' description, else by spin-echo timing; None where neither is clear."""
    text = f"{header.get('SeriesDescription') or ''} {header.get('ProtocolName') or ''}".lower()
    agent = str(header.get("ContrastBolusAgent") or "").strip().lower() not in _NOT_AN_AGENT
    enhanced = agent or (bool(_CONTRAST.search(text)) and not _NO_CONTRAST.search(text))
    named: Sequence | None = None
    if _FLAIR.search(text) and not _T1.search(text):
        named = "flair"
    elif _T1.search(text):
        named = "t1"
    elif _T2.search(text):
        named = "t2"
    found = named or _by_timing(header)
    return "t1ce" if found == "t1" and enhanced else found


def _by_timing(header: Header) -> Sequence | None:
    kinds = header.get("ScanningSequence") or ""
    kinds = {kinds} if isinstance(kinds, str) else {str(kind) for kind in kinds}
    times = (_number(header.get("RepetitionTime")), _number(header.get("EchoTime")))
    repetition_ms, echo_ms = times
    if "SE" not in kinds or repetition_ms is None or echo_ms is None:
        return None
    inversion_ms = _number(header.get("InversionTime")) or 0.0
    if inversion_ms > 1500 and repetition_ms > 4000 and echo_ms > 70:
        return "flair"
    if inversion_ms > 0:
        return None
    if repetition_ms <= 1000 and echo_ms <= 30:
        return "t1"
    return "t2" if repetition_ms >= 2000 and echo_ms >= 70 else None


def _functional_groups(header: Header) -> Iterator[Header]:
    for name in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        items = header.get(name)
        if items:
            yield items[0]


def _first(header: Header, groups: list[Header], macro: str, keyword: str) -> Any:
    direct = header.get(keyword)
    if direct:
        return direct
    for group in groups:
        items = group.get(macro)
        if items and items[0].get(keyword):
            return items[0].get(keyword)
    return None


def numbers(value: Any, count: int) -> list[float] | None:
    """`count` finite numbers, or None where the element holds anything else."""
    if value is None or isinstance(value, str | int | float) or len(value) != count:
        return None
    numbers = [_number(item) for item in value]
    return None if None in numbers else [number for number in numbers if number is not None]


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
