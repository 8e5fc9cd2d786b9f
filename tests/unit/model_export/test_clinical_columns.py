"""Which clinical columns are read, and which never."""

import csv
import math
from pathlib import Path

from model_export.datasets.clinical import COLUMNS, FORBIDDEN, empty_record, feature_names, read_clinical
from service_kit.contracts.clinical import ClinicalRecord

HEADER = [
    "Patient",
    "RNASeqCluster",
    "histological_type",
    "neoplasm_histologic_grade",
    "laterality",
    "tumor_location",
    "gender",
    "age_at_initial_pathologic",
    "race",
    "ethnicity",
    "death01",
]


def _table(root: Path, *rows: dict[str, str]) -> None:
    (root / "lgg").mkdir()
    with (root / "lgg" / "clinical.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, HEADER, restval="")
        writer.writeheader()
        writer.writerows(rows)


def test_nothing_that_leaks_the_answer_is_read() -> None:
    read = {column.source for column in COLUMNS}
    assert not read & FORBIDDEN
    assert not [name for name in read if "Cluster" in name]


def test_every_column_is_a_field_of_the_record() -> None:
    assert {column.name for column in COLUMNS} <= set(ClinicalRecord.model_fields)


def test_names_are_unique_and_end_with_one_flag_a_column() -> None:
    names = feature_names()
    assert len(set(names)) == len(names) == 17
    assert names[:3] == ("age", "gender_female", "gender_male")
    assert [name for name in names if name.endswith("_missing")] == list(names[-len(COLUMNS) :])


def test_a_row_becomes_a_record_and_gaps_become_nan(tmp_path: Path) -> None:
    known = {"Patient": "P1", "gender": "2", "age_at_initial_pathologic": "47", "neoplasm_histologic_grade": "1"}
    _table(tmp_path, {**known, "histological_type": "3", "tumor_location": "6", "death01": "1"}, {"Patient": "P2"})
    found = read_clinical(tmp_path)
    by_name = dict(zip([column.name for column in COLUMNS], found["P1"], strict=True))
    assert by_name["age"] == 47.0
    assert by_name["sex"] == 2.0
    assert by_name["who_grade"] == 2.0  # the table's code 1 is WHO grade 2
    assert by_name["histological_type"] == 3.0
    assert math.isnan(by_name["race"])
    assert all(math.isnan(value) for value in found["P2"])
    assert len(empty_record()) == len(COLUMNS)
