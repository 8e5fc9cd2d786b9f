"""A record as a hospital sent it, read into a ClinicalRecord: names, dates, spellings. No model is known here."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from metadata_service.dates import completed_years, read_date
from metadata_service.fields import check_names, field_of
from metadata_service.words import category, grade
from service_kit.contracts.clinical import ClinicalRecord
from service_kit.errors import InvalidRequest

OLDEST_YEARS = 130
_LONGEST_TEXT = 200
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,6})?")
_DICOM_AGE = re.compile(r"(\d{3})([DWMY])")
_PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """The record, and what the sender should know about how it was read."""

    record: ClinicalRecord
    warnings: tuple[str, ...]


def read_record(sent: Mapping[str, Any]) -> ReadRecord:
    """Read what was sent. Null and empty text count as not given; an empty record is legal.

    Raises:
        LeakingField, UnknownField: a field that is not accepted, or of no known name.
        InvalidRequest: a field given twice, or values that cannot be; the detail names every such field.
    """
    check_names(sent)
    values = _by_field(sent)
    wrong: list[str] = []
    warnings: list[str] = []
    found: dict[str, Any] = {}
    for field, value in values.items():
        try:
            found[field] = _read_value(field, value, warnings)
        except ValueError as error:
            wrong.append(f"{field}: {error}")
    if not wrong:
        _complete_age(found, wrong, warnings)
    if wrong:
        raise InvalidRequest("; ".join(wrong))
    return ReadRecord(ClinicalRecord.model_validate(found), tuple(warnings))


def _by_field(sent: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    seen: set[str] = set()
    for name, value in sent.items():
        field = field_of(name)
        if field is None:
            continue  # check_names has refused it
        if field in seen:
            raise InvalidRequest(f"{field} is given twice, under two names: keep one")
        seen.add(field)
        if value is not None and not (isinstance(value, str) and not value.strip()):
            values[field] = value
    return values


def _read_value(field: str, value: Any, warnings: list[str]) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a text or a number")  # noqa: TRY004 - one error type is collected by the caller
    if isinstance(value, str) and (len(value) > _LONGEST_TEXT or not value.isprintable()):
        raise ValueError(f"must be at most {_LONGEST_TEXT} printable characters")
    if field == "age":
        return _age(value)
    if field == "who_grade":
        return _grade(value)
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004
    if field in {"birth_date", "study_date"}:
        written = read_date(value.strip())
        if not written.exact:
            warnings.append(f"{field}: no day is given, the middle of the month or year is taken")
        return written.day
    if field == "sex":
        return _sex(value)
    return value.strip()


def _age(value: float | str) -> float:
    if isinstance(value, str):
        dicom = _DICOM_AGE.fullmatch(value.strip())
        if dicom:
            value = int(dicom.group(1)) / _PER_YEAR[dicom.group(2)]
        elif _NUMBER.fullmatch(value.strip()):
            value = float(value)
        else:
            raise ValueError("must be a number of years")
    # An integer of a thousand digits is no float: compare before converting.
    if not 0 <= value <= OLDEST_YEARS:
        raise ValueError(f"must be between 0 and {OLDEST_YEARS} years")
    return float(value)


def _grade(value: float | str) -> int:
    found = grade(value) if isinstance(value, str) else _whole(value)
    if found is None or not 1 <= found <= 4:
        raise ValueError("must be a WHO grade, 1 to 4 or I to IV")
    return found


def _whole(value: float) -> int | None:
    return int(value) if isinstance(value, int) or (math.isfinite(value) and value == int(value)) else None


def _sex(value: str) -> str:
    found = category("sex", value)
    if found is None:
        raise ValueError("must be female, male, other or unknown")
    return found


def _complete_age(found: dict[str, Any], wrong: list[str], warnings: list[str]) -> None:
    """Work the age out where the record gives dates instead, or check it against them."""
    birth: date | None = found.get("birth_date")
    study: date | None = found.get("study_date")
    if birth is None:
        return
    if study is None:
        if "age" not in found:
            warnings.append("birth_date: without study_date it gives no age")
        return
    years = completed_years(birth, study)
    if study < birth or years > OLDEST_YEARS:
        wrong.append(f"study_date: must be between the birth and {OLDEST_YEARS} years after it")
    elif "age" not in found:
        found["age"] = float(years)
    elif abs(found["age"] - years) > 1.5:
        warnings.append("age: it does not agree with birth_date and study_date; the age is used as given")
