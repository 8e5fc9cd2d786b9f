from datetime import date

import pytest

from metadata_service.dates import completed_years, read_date


@pytest.mark.parametrize(
    ("text", "day", "exact"),
    [
        ("1976-05-17", date(1976, 5, 17), True),
        ("19760517", date(1976, 5, 17), True),
        ("1976-05-17T08:30:00+02:00", date(1976, 5, 17), True),
        ("1976-05", date(1976, 5, 15), False),
        ("1976", date(1976, 7, 1), False),
    ],
)
def test_dates_of_fhir_and_dicom_are_read(text: str, day: date, exact: bool) -> None:
    written = read_date(text)
    assert written.day == day
    assert written.exact == exact


@pytest.mark.parametrize("text", ["", "17.05.1976", "1976-13-01", "1976-02-30", "76-05-17", "1976-5-7", "19760230"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|month|day"):
        read_date(text)


def test_years_are_completed_on_the_birthday() -> None:
    birth = date(1976, 5, 17)
    assert completed_years(birth, date(2020, 5, 16)) == 43
    assert completed_years(birth, date(2020, 5, 17)) == 44
    assert completed_years(birth, birth) == 0
    assert completed_years(birth, date(1976, 5, 16)) == -1
    assert completed_years(date(2000, 2, 29), date(2001, 2, 28)) == 0
