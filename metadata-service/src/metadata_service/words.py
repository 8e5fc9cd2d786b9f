"""Words for categories: what registries and records write, brought to the model's own words."""

import re

FEMALE, MALE = "female", "male"
ASTROCYTOMA, OLIGOASTROCYTOMA, OLIGODENDROGLIOMA = "astrocytoma", "oligoastrocytoma", "oligodendroglioma"

_SEX = {
    "f": FEMALE,
    "female": FEMALE,
    "woman": FEMALE,
    "m": MALE,
    "male": MALE,
    "man": MALE,
    "o": "other",
    "other": "other",
    "u": "unknown",
    "unk": "unknown",
    "unknown": "unknown",
}

_HISTOLOGY = {
    "astrocytoma": ASTROCYTOMA,
    "oligoastrocytoma": OLIGOASTROCYTOMA,
    "oligo astrocytoma": OLIGOASTROCYTOMA,
    "mixed glioma": OLIGOASTROCYTOMA,
    "oligodendroglioma": OLIGODENDROGLIOMA,
    # ICD-O-3 morphology
    "9400 3": ASTROCYTOMA,
    "9401 3": ASTROCYTOMA,
    "9382 3": OLIGOASTROCYTOMA,
    "9450 3": OLIGODENDROGLIOMA,
    "9451 3": OLIGODENDROGLIOMA,
}
# Words that say which kind of a type it is, not which type.
_QUALIFIERS = (
    "anaplastic diffuse fibrillary gemistocytic protoplasmic nos who cns grade g2 g3 ii iii 2 3 "
    "idh mutant wildtype wild type 1p 19q 1p19q codeleted co deleted and"
)
_HISTOLOGY_QUALIFIERS = frozenset(_QUALIFIERS.split())

_RACE = {
    "white": "white",
    "caucasian": "white",
    "2106 3": "white",
    "black": "black or african american",
    "african american": "black or african american",
    "black or african american": "black or african american",
    "2054 5": "black or african american",
    "asian": "asian",
    "2028 9": "asian",
    "american indian or alaska native": "american indian or alaska native",
    "1002 5": "american indian or alaska native",
    "native hawaiian or other pacific islander": "native hawaiian or other pacific islander",
    "2076 8": "native hawaiian or other pacific islander",
    "other": "other",
    "other race": "other",
    "2131 1": "other",
}

_ETHNICITY = {
    "hispanic": "hispanic or latino",
    "latino": "hispanic or latino",
    "hispanic or latino": "hispanic or latino",
    "2135 2": "hispanic or latino",
    "non hispanic": "not hispanic or latino",
    "not hispanic": "not hispanic or latino",
    "not hispanic or latino": "not hispanic or latino",
    "non hispanic or latino": "not hispanic or latino",
    "non hispanic or non latino": "not hispanic or latino",
    "2186 5": "not hispanic or latino",
}

_NOT_GIVEN = frozenset(
    {"unknown", "unk", "asku", "asked but unknown", "not reported", "not available", "declined", "n a", "na", "none"}
)

WORDS = {"sex": _SEX, "histological_type": _HISTOLOGY, "race": _RACE, "ethnicity": _ETHNICITY}
"""Accepted words by field of the record, each with the category that it stands for."""


def category(field: str, text: str) -> str | None:
    """The category of `field` that `text` stands for, or None where the words do not know it."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    found = WORDS[field].get(" ".join(words))
    if found is None and field == "histological_type":
        found = _HISTOLOGY.get(" ".join(word for word in words if word not in _HISTOLOGY_QUALIFIERS))
    return found


def is_not_given(text: str) -> bool:
    """Whether the text says that the value is not known."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower())) in _NOT_GIVEN


_GRADE = re.compile(r"(?:who|cns|grade|g|\s|\.)*(iv|i{1,3}|[1-4])", re.IGNORECASE)
_GRADES = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


def grade(text: str) -> int | None:
    """`II`, `WHO grade 2`, `G2` -> 2; None where it is no grade of 1 to 4."""
    found = _GRADE.fullmatch(text.strip())
    if found is None:
        return None
    written = found.group(1).lower()
    return _GRADES.get(written) or int(written)
