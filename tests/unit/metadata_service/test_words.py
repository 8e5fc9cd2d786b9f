import pytest

from metadata_service.words import category, grade, is_not_given


@pytest.mark.parametrize(
    ("field", "text", "found"),
    [
        ("sex", "Female", "female"),
        ("sex", "M", "male"),
        ("sex", "O", "other"),
        ("sex", "UNK", "unknown"),
        ("sex", "1", None),
        ("histological_type", "Astrocytoma", "astrocytoma"),
        ("histological_type", "Anaplastic astrocytoma", "astrocytoma"),
        ("histological_type", "Astrocytoma, IDH-mutant, CNS WHO grade 2", "astrocytoma"),
        ("histological_type", "Oligoastrocytoma", "oligoastrocytoma"),
        ("histological_type", "OLIGO-ASTROCYTOMA NOS", "oligoastrocytoma"),
        ("histological_type", "Mixed glioma", "oligoastrocytoma"),
        ("histological_type", "Oligodendroglioma, IDH-mutant and 1p/19q-codeleted", "oligodendroglioma"),
        ("histological_type", "9401/3", "astrocytoma"),
        ("histological_type", "9382/3", "oligoastrocytoma"),
        ("histological_type", "Pilocytic astrocytoma", None),
        ("histological_type", "Glioblastoma", None),
        ("histological_type", "Grade II", None),
        ("race", "White", "white"),
        ("race", "2106-3", "white"),
        ("race", "BLACK OR AFRICAN AMERICAN", "black or african american"),
        ("race", "black_or_african_american", "black or african american"),
        ("race", "Asian", "asian"),
        ("ethnicity", "Not Hispanic or Latino", "not hispanic or latino"),
        ("ethnicity", "Non-Hispanic", "not hispanic or latino"),
        ("ethnicity", "2135-2", "hispanic or latino"),
        ("ethnicity", "", None),
    ],
)
def test_words_are_brought_to_categories(field: str, text: str, found: str | None) -> None:
    assert category(field, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2", 2),
        ("II", 2),
        ("iii", 3),
        ("WHO grade IV", 4),
        ("WHO II", 2),
        ("G3", 3),
        ("Grade 1", 1),
        ("0", None),
        ("5", None),
        ("IIII", None),
        ("high", None),
        ("2-3", None),
        ("", None),
    ],
)
def test_grades_are_read(text: str, found: int | None) -> None:
    assert grade(text) == found


@pytest.mark.parametrize("text", ["unknown", "Asked but unknown", "[Not Available]", "N/A", "Not reported"])
def test_words_for_not_known(text: str) -> None:
    assert is_not_given(text)
    assert not is_not_given("white")
