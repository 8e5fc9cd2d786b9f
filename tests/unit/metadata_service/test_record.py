from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_service.record import read_record
from service_kit.contracts.clinical import ClinicalRecord
from service_kit.errors import InvalidRequest, ServiceError


def test_an_empty_record_is_legal() -> None:
    read = read_record({})
    assert read.record == ClinicalRecord()
    assert read.warnings == ()


def test_null_and_empty_text_are_not_given() -> None:
    assert read_record({"age": None, "sex": " ", "race": ""}).record == ClinicalRecord()


def test_fhir_names_and_spellings_are_read() -> None:
    read = read_record({"birthDate": "1976-05-17", "studyDate": "2020-11-02", "gender": "male", "whoGrade": "II"})
    assert read.record.age == 44.0
    assert read.record.birth_date == date(1976, 5, 17)
    assert read.record.sex == "male"
    assert read.record.who_grade == 2
    assert read.warnings == ()


@pytest.mark.parametrize(("sent", "age"), [(44, 44.0), (44.5, 44.5), ("44", 44.0), ("044Y", 44.0), ("018M", 1.5)])
def test_ages_are_read(sent: Any, age: float) -> None:
    assert read_record({"age": sent}).record.age == age


@pytest.mark.parametrize("grade", [3, 3.0, "3", "III", "WHO grade III"])
def test_grades_are_read(grade: Any) -> None:
    assert read_record({"who_grade": grade}).record.who_grade == 3


def test_a_date_without_a_day_is_taken_in_the_middle_and_said() -> None:
    read = read_record({"birth_date": "1976", "study_date": "2020-08-01"})
    assert read.record.age == 44.0
    assert read.warnings == ("birth_date: no day is given, the middle of the month or year is taken",)


def test_a_birth_date_alone_gives_no_age() -> None:
    read = read_record({"birth_date": "1976-05-17"})
    assert read.record.age is None
    assert "study_date" in read.warnings[0]


def test_an_age_that_disagrees_with_the_dates_is_kept_and_said() -> None:
    sent = {"age": 60, "birth_date": "1976-05-17", "study_date": "2020-11-02"}
    read = read_record(sent)
    assert read.record.age == 60
    assert "does not agree" in read.warnings[0]
    assert read_record({**sent, "age": 45}).warnings == ()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"age": -1}, "age: must be between 0 and 130"),
        ({"age": 131}, "age: must be between"),
        ({"age": float("nan")}, "age: must be between"),
        ({"age": float("inf")}, "age: must be between"),
        ({"age": 10**400}, "age: must be between"),
        ({"age": "old"}, "age: must be a number of years"),
        ({"age": "nan"}, "age: must be a number of years"),
        ({"age": "999Y"}, "age: must be between"),
        ({"age": True}, "age: must be a text or a number"),
        ({"age": [44]}, "age: must be a text or a number"),
        ({"age": {"value": 44}}, "age: must be a text or a number"),
        ({"birth_date": "17.05.1976"}, "birth_date: write a date as YYYY-MM-DD"),
        ({"birth_date": 1976}, "birth_date: must be a text"),
        ({"birth_date": "2021-01-01", "study_date": "2020-01-01"}, "study_date: must be between the birth"),
        ({"birth_date": "1850-01-01", "study_date": "2020-01-01"}, "130 years after"),
        ({"sex": "1"}, "sex: must be female, male, other or unknown"),
        ({"sex": 1}, "sex: must be a text"),
        ({"who_grade": 0}, "who_grade: must be a WHO grade"),
        ({"who_grade": 2.5}, "who_grade: must be a WHO grade"),
        ({"who_grade": float("inf")}, "who_grade: must be a WHO grade"),
        ({"who_grade": "high"}, "who_grade: must be a WHO grade"),
        ({"race": 3}, "race: must be a text"),
        ({"race": "x" * 201}, "race: must be at most 200 printable characters"),
        ({"race": "a\nb"}, "race: must be at most 200 printable"),
        ({"sex": "female", "gender": "male"}, "sex is given twice"),
        ({"age": -1, "sex": "x"}, "age: .*; sex: "),
    ],
)
def test_values_that_cannot_be_are_refused(sent: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as caught:
        read_record(sent)
    assert caught.value.status == 422


def test_a_detail_never_repeats_the_value() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_record({"sex": "Eva Musterfrau", "birth_date": "Eva Musterfrau", "age": "Eva Musterfrau"})
    assert "Eva" not in caught.value.detail


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.lists(st.integers()))
NAMES = st.one_of(st.sampled_from(sorted(ClinicalRecord.model_fields)), st.text(max_size=12))


def outcome(sent: dict[str, Any]) -> ClinicalRecord | ServiceError:
    try:
        return read_record(sent).record
    except ServiceError as error:
        return error


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_anything_is_read_or_refused_in_order(sent: dict[str, Any]) -> None:
    found = outcome(sent)
    if isinstance(found, ServiceError):
        assert found.status == 422
        assert found.detail
    else:
        assert found.age is None or 0 <= found.age <= 130
