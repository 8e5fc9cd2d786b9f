"""LGG's clinical table, reduced to what a clinic knows before any mask is drawn.

`tumor_location` and `laterality` give the mask away, the outcome and the tissue clusters are not known in advance:
none of them is read.
"""

import csv
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Column:
    """One input of the clinical model: the record's field `name`, the table's column, and for a category its codes.

    `feature` is the stem of the names in the vector (`sex` becomes `gender_female`, `gender_male`).
    """

    name: str
    source: str
    kind: Literal["number", "category"]
    feature: str
    unit: str | None = None
    codes: dict[str, int] = field(default_factory=dict)
    offset: float = 0.0


COLUMNS = (
    Column("age", "age_at_initial_pathologic", "number", "age", unit="years"),
    Column("sex", "gender", "category", "gender", codes={"female": 1, "male": 2}),
    Column("who_grade", "neoplasm_histologic_grade", "number", "who_grade", offset=1.0),
    Column(
        "histological_type",
        "histological_type",
        "category",
        "histology",
        codes={"astrocytoma": 1, "oligoastrocytoma": 2, "oligodendroglioma": 3},
    ),
    Column("race", "race", "category", "race", codes={"black or african american": 2, "white": 3}),
    Column(
        "ethnicity", "ethnicity", "category", "ethnicity", codes={"hispanic or latino": 1, "not hispanic or latino": 2}
    ),
)
"""The columns in the model's order. The table codes WHO grade II as 1 and III as 2: `offset` makes them 2 and 3."""

FORBIDDEN = frozenset({"tumor_location", "laterality", "death01", "tumor_tissue_site"})
"""Columns that must never reach the model, beside the tissue clusters."""


def feature_names() -> tuple[str, ...]:
    """The vector's names in order: numbers, one-hot categories, then one missing-flag a column."""
    names: list[str] = []
    for column in COLUMNS:
        if column.kind == "number":
            names.append(column.feature)
        else:
            names += [f"{column.feature}_{label.replace(' ', '_')}" for label in column.codes]
    return (*names, *(f"{column.feature}_missing" for column in COLUMNS))


def empty_record() -> list[float]:
    """A record of which nothing is known: NaN in every column."""
    return [math.nan] * len(COLUMNS)


def read_clinical(root: Path) -> dict[str, list[float]]:
    """Patient -> raw record in the order of `COLUMNS`, NaN where the table is empty."""
    with (root / "lgg" / "clinical.csv").open(newline="", encoding="utf-8") as stream:
        return {row["Patient"]: [_number(row[c.source], c.offset) for c in COLUMNS] for row in csv.DictReader(stream)}


def _number(text: str, offset: float) -> float:
    return float(text) + offset if text else math.nan
