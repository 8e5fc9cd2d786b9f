from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metadata_service.normalizer import Normalizer
from metadata_service.record import read_record
from service_kit.contracts.clinical import ClinicalAblation, ClinicalVector
from service_kit.errors import InferenceFailed, ModelInvalid
from service_kit.inference.manifest import ClinicalColumn
from service_kit.testing import FakeBackend, tiny_model

ALL = ("age", "sex", "who_grade", "histological_type", "race", "ethnicity")


async def normalize(backend: FakeBackend, **sent: Any) -> ClinicalVector:
    return await Normalizer(backend).normalize(read_record(sent))


async def test_an_empty_record_is_imputed_throughout(backend: FakeBackend) -> None:
    found = await normalize(backend)
    assert found.imputed == ALL
    assert found.warnings == ()
    assert np.isnan(backend.calls[0]["record"]).all()
    assert tuple(found.features.values()) == backend.manifest.clinical_default
    assert found.model == backend.ref


async def test_a_full_record_is_coded_in_the_models_order(backend: FakeBackend) -> None:
    found = await normalize(
        backend,
        ethnicityCode="2186-5",
        age=50,
        gender="male",
        whoGrade=3,
        histology="Mixed glioma",
        race="Black or African American",
    )
    assert backend.calls[0]["record"].tolist() == [[50.0, 2.0, 3.0, 2.0, 2.0, 2.0]]
    assert backend.calls[0]["record"].dtype == np.float32
    assert found.imputed == ()
    assert found.warnings == ()
    assert tuple(found.features) == ALL


@pytest.mark.parametrize("sex", ["other", "unknown"])
async def test_other_and_unknown_sex_are_imputed_without_a_warning(backend: FakeBackend, sex: str) -> None:
    found = await normalize(backend, sex=sex, age=50)
    assert "sex" in found.imputed
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("sent", "value", "words"),
    [
        ({"age": 90}, 75.0, "age: outside the trained range of 20 to 75"),
        ({"age": 3}, 20.0, "age: outside the trained range of 20 to 75"),
        ({"who_grade": 4}, 3.0, "who_grade: outside the trained range of 2 to 3"),
        ({"who_grade": 1}, 2.0, "who_grade: outside the trained range of 2 to 3"),
    ],
)
async def test_values_outside_the_trained_range_are_clipped_and_said(
    backend: FakeBackend, sent: dict[str, Any], value: float, words: str
) -> None:
    found = await normalize(backend, **sent)
    (field,) = sent
    assert found.features[field] == value
    assert field not in found.imputed
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith(words)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"histological_type": "Glioblastoma"}, "astrocytoma, oligoastrocytoma, oligodendroglioma alone"),
        ({"race": "Asian"}, "black or african american, white alone"),
        ({"race": "something"}, "black or african american, white alone"),
    ],
)
async def test_a_category_the_model_does_not_know_is_imputed_and_said(
    backend: FakeBackend, sent: dict[str, str], words: str
) -> None:
    found = await normalize(backend, **sent)
    (field,) = sent
    assert field in found.imputed
    assert words in found.warnings[0]
    assert sent[field] not in found.warnings[0]


async def test_a_word_for_not_known_is_imputed_without_a_warning(backend: FakeBackend) -> None:
    found = await normalize(backend, race="not reported", ethnicity="UNK", histological_type="n/a")
    assert {"race", "ethnicity", "histological_type"} <= set(found.imputed)
    assert found.warnings == ()


async def test_warnings_of_reading_come_first(backend: FakeBackend) -> None:
    found = await normalize(backend, birth_date="1920", study_date="2020-08-01")
    assert [warning.split(":")[0] for warning in found.warnings] == ["birth_date", "age"]


async def test_a_vector_that_is_not_finite_fails(backend: FakeBackend) -> None:
    broken = FakeBackend(backend.manifest, lambda arrays: {"vector": arrays["record"]})
    with pytest.raises(InferenceFailed, match="finite vector"):
        await normalize(broken)


@pytest.mark.parametrize(
    "column",
    [
        ClinicalColumn(name="weight", kind="number", imputed=70.0),
        ClinicalColumn(name="age", kind="category", codes={"old": 1}, imputed=1.0),
        ClinicalColumn(name="race", kind="category", codes={"martian": 1}, imputed=1.0),
        ClinicalColumn(name="sex", kind="number", imputed=1.0),
    ],
)
def test_a_model_with_columns_of_no_record_is_refused(tmp_path: Path, column: ClinicalColumn) -> None:
    manifest = tiny_model(tmp_path, "clinical")
    columns = (column, *manifest.clinical_columns[1:])
    with pytest.raises(ModelInvalid, match=column.name):
        Normalizer(FakeBackend(manifest.model_copy(update={"clinical_columns": columns}), lambda _: {}))


def test_a_model_with_fewer_names_than_columns_is_refused(backend: FakeBackend) -> None:
    manifest = backend.manifest
    fewer = manifest.model_copy(update={"clinical_columns": manifest.clinical_columns[:5]})
    with pytest.raises(ModelInvalid, match="6 columns, 5 are named"):
        Normalizer(FakeBackend(fewer, lambda _: {}))


async def ablate(backend: FakeBackend, **sent: Any) -> ClinicalAblation:
    return await Normalizer(backend).ablate(read_record(sent))


async def test_each_given_field_is_left_out_in_one_run(backend: FakeBackend) -> None:
    found = await ablate(backend, birthDate="1970-05-17", studyDate="2020-11-02", whoGrade=3)
    assert len(backend.calls) == 1
    assert found.vector == await normalize(backend, age=50, who_grade=3)
    assert tuple(found.empty.values()) == backend.manifest.clinical_default
    assert found.without.keys() == {"age", "who_grade"}
    assert (found.without["age"]["age"], found.without["age"]["who_grade"]) == (44, 3)
    assert (found.without["who_grade"]["age"], found.without["who_grade"]["who_grade"]) == (50, 2)


async def test_what_the_model_does_not_know_is_not_given(backend: FakeBackend) -> None:
    found = await ablate(backend, sex="other", age=90)
    assert found.without.keys() == {"age"}
    assert found.vector.warnings == ("age: outside the trained range of 20 to 75; the nearest end is used",)
    assert (await ablate(backend)).without == {}
