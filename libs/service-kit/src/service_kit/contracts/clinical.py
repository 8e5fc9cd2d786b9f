"""Clinical data: the record as a hospital has it, and the vector that a model reads."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from service_kit.contracts.common import Contract, ModelRef


class ClinicalRecord(Contract):
    """What is known of the patient; everything is optional and an empty record is legal.

    FHIR's names are accepted where they differ (`birthDate`, `gender`, `studyDate`, `whoGrade`, ...).
    """

    age: Annotated[float, Field(ge=0, le=130, allow_inf_nan=False, description="years")] | None = None
    birth_date: date | None = None
    study_date: date | None = None
    sex: Literal["female", "male", "other", "unknown"] | None = None
    race: str | None = None
    ethnicity: str | None = None
    histological_type: str | None = None
    who_grade: Annotated[int, Field(ge=1, le=4)] | None = None


class ClinicalVector(Contract):
    """The vector in the model's order: `features` names each value; `imputed` names the record's fields that were
    missing and filled in; `warnings` are for values outside the trained range.
    """

    features: dict[str, float]
    imputed: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    model: ModelRef


class ClinicalAblation(Contract):
    """A record's vector beside those of the same record with something left out, for asking what a field does.

    `empty` are the features of an empty record; `without` those of the record without one field, by the field's name:
    every field that the model reads and that the record gives (an age worked out from dates counts as given).
    """

    vector: ClinicalVector
    empty: dict[str, float]
    without: dict[str, dict[str, float]]
