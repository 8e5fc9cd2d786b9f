"""Dates as hospitals write them: FHIR's (a year, a month or a day; a time behind it) and DICOM's (YYYYMMDD)."""

import re
from dataclasses import dataclass
from datetime import date

_FHIR = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T.{1,40})?)?)?")
_DICOM = re.compile(r"(\d{4})(\d{2})(\d{2})")


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date; not `exact` where only its month or year was written: then it is the middle of that."""

    day: date
    exact: bool


def read_date(text: str) -> WrittenDate:
    """Read a date.

    Raises:
        ValueError: it is none.
    """
    found = _DICOM.fullmatch(text) or _FHIR.fullmatch(text)
    if found is None:
        raise ValueError("write a date as YYYY-MM-DD")
    year, month, day = found.groups()
    return WrittenDate(date(int(year), int(month or 7), int(day or (15 if month else 1))), exact=day is not None)


def completed_years(birth: date, on: date) -> int:
    """The age on a day; negative before the birth."""
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
