"""Names of fields: those of a record with the spellings that hospitals use, and those that are refused."""

import difflib
import re
from collections.abc import Iterable

from metadata_service.errors import LeakingField, UnknownField

ALIASES: dict[str, tuple[str, ...]] = {
    "age": ("patientAge", "ageAtDiagnosis", "age_at_initial_pathologic", "ageYears"),
    "birth_date": ("birthDate", "patientBirthDate", "dateOfBirth"),
    "study_date": ("studyDate", "acquisitionDate", "imagingDate"),
    "sex": ("gender", "patientSex", "administrativeGender"),
    "race": ("raceCode", "raceCategory"),
    "ethnicity": ("ethnicityCode", "ethnicGroup"),
    "histological_type": ("histologicalType", "histologicType", "histology", "morphology"),
    "who_grade": ("whoGrade", "grade", "tumorGrade", "histologicGrade"),
}
"""Further names of each field of ClinicalRecord. Case, `_`, `-` and blanks never matter."""

REFUSED: dict[str, tuple[str, ...]] = {
    "it tells where the tumor lies, which gives the outline away": (
        "tumor_location",
        "tumor_site",
        "tumor_tissue_site",
        "body_site",
        "anatomic_site",
        "location",
        "laterality",
        "side",
        "hemisphere",
        "lobe",
    ),
    "it is the outcome, which nobody knows when the picture is taken": (
        "death01",
        "death",
        "dead",
        "deceased",
        "deceased_boolean",
        "deceased_date_time",
        "death_date",
        "date_of_death",
        "days_to_death",
        "vital_status",
        "outcome",
        "survival",
        "survival_days",
        "survival_months",
        "overall_survival",
        "days_to_last_follow_up",
    ),
    "it needs tissue to be analyzed, which is not done before the picture is taken": (
        "rna_seq_cluster",
        "methylation_cluster",
        "mirna_cluster",
        "cn_cluster",
        "rppa_cluster",
        "oncosign_cluster",
        "coc_cluster",
        "cluster",
    ),
}
"""Fields that no model may read, by the reason."""


def squash(name: str) -> str:
    """`birthDate`, `birth_date` and `Birth-Date` are one name: `birthdate`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


_FIELD = {squash(name): field for field, aliases in ALIASES.items() for name in (field, *aliases)}
_REASON = {squash(name): reason for reason, names in REFUSED.items() for name in names}
_PRINTABLE = re.compile(r"[A-Za-z][A-Za-z0-9_.\- ]{0,39}")


def field_of(name: str) -> str | None:
    """The record's field that `name` means, or None."""
    return _FIELD.get(squash(name))


def check_names(names: Iterable[str]) -> None:
    """Refuse names that leak or are not known.

    Raises:
        LeakingField: naming each such field with the reason.
        UnknownField: naming each such field with the nearest known one.
    """
    names = list(names)
    leaks = [f"{_shown(name)} is not accepted: {reason}" for name in names if (reason := _leak(name)) is not None]
    if leaks:
        raise LeakingField("; ".join(leaks))
    unknown = [_unknown(name) for name in names if field_of(name) is None]
    if unknown:
        raise UnknownField("; ".join(unknown))


def _leak(name: str) -> str | None:
    squashed = squash(name)
    reason = _REASON.get(squashed)
    if reason is None and squashed.endswith(("cluster", "clusters", "subtypecluster")):
        return _REASON["cluster"]
    return reason


def _unknown(name: str) -> str:
    nearest = difflib.get_close_matches(squash(name), _FIELD, n=1, cutoff=0.6)
    if nearest:
        return f"{_shown(name)} is not known; did you mean {_FIELD[nearest[0]]}?"
    return f"{_shown(name)} is not known; the fields are {', '.join(ALIASES)}"


def _shown(name: str) -> str:
    """The name as it was sent, unless it could be something else than a name."""
    return name if _PRINTABLE.fullmatch(name) else "a field"
