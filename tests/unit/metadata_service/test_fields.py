import pytest

from metadata_service.errors import LeakingField, UnknownField
from metadata_service.fields import ALIASES, REFUSED, check_names, field_of
from service_kit.contracts.clinical import ClinicalRecord


def test_every_field_of_a_record_has_its_names() -> None:
    assert ALIASES.keys() == ClinicalRecord.model_fields.keys()


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("age", "age"),
        ("birthDate", "birth_date"),
        ("BIRTH-DATE", "birth_date"),
        ("studyDate", "study_date"),
        ("gender", "sex"),
        ("PatientSex", "sex"),
        ("whoGrade", "who_grade"),
        ("WHO grade", "who_grade"),
        ("histologicalType", "histological_type"),
        ("raceCode", "race"),
        ("ethnicityCode", "ethnicity"),
        ("name", None),
    ],
)
def test_names_are_understood(name: str, field: str | None) -> None:
    assert field_of(name) == field


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("tumor_location", "outline"),
        ("tumorLocation", "outline"),
        ("laterality", "outline"),
        ("Laterality", "outline"),
        ("tumor_tissue_site", "outline"),
        ("bodySite", "outline"),
        ("death01", "outcome"),
        ("deceasedBoolean", "outcome"),
        ("deceasedDateTime", "outcome"),
        ("vital_status", "outcome"),
        ("overallSurvival", "outcome"),
        ("RNASeqCluster", "tissue"),
        ("rna_seq_cluster", "tissue"),
        ("MethylationCluster", "tissue"),
        ("miRNACluster", "tissue"),
        ("CNCluster", "tissue"),
        ("RPPACluster", "tissue"),
        ("OncosignCluster", "tissue"),
        ("COCCluster", "tissue"),
        ("someNewCluster", "tissue"),
    ],
)
def test_what_leaks_is_refused_with_the_reason(name: str, word: str) -> None:
    with pytest.raises(LeakingField, match=word) as caught:
        check_names(["age", name])
    assert name in caught.value.detail


def test_every_leak_is_named() -> None:
    with pytest.raises(LeakingField, match=r"laterality.*death01"):
        check_names(["laterality", "age", "death01", "agee"])


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("agee", "did you mean age?"),
        ("birth_dat", "did you mean birth_date?"),
        ("gendre", "did you mean sex?"),
        ("who_grad", "did you mean who_grade?"),
        ("etnicity", "did you mean ethnicity?"),
        ("kps", "the fields are age, birth_date"),
    ],
)
def test_an_unknown_name_gets_the_nearest_known(name: str, advice: str) -> None:
    with pytest.raises(UnknownField) as caught:
        check_names([name])
    assert caught.value.detail.endswith(advice) or advice in caught.value.detail
    assert caught.value.detail.startswith(f"{name} is not known")


@pytest.mark.parametrize("name", ["", "Ångström, Eva *1960-05-17", "x" * 41, "a\nb", "{}"])
def test_a_name_that_could_be_a_patients_is_not_repeated(name: str) -> None:
    with pytest.raises(UnknownField) as caught:
        check_names([name])
    assert caught.value.detail.startswith("a field is not known")


def test_no_field_is_accepted_and_refused() -> None:
    for names in REFUSED.values():
        for name in names:
            with pytest.raises(LeakingField):
                check_names([name])
            assert field_of(name) is None
