from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from metadata_service.app import create_app
from metadata_service.settings import MetadataSettings
from service_kit.contracts.clinical import ClinicalVector
from service_kit.inference.factory import InferenceSettings
from service_kit.inference.manifest import ModelManifest
from service_kit.testing import running_app

MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    settings = MetadataSettings(inference=InferenceSettings(models_dir=MODELS))
    async with running_app(create_app(settings)) as client:
        yield client


async def normalize(client: httpx.AsyncClient, **sent: object) -> ClinicalVector:
    response = await client.post("/v1/clinical-vectors", json=sent)
    assert response.status_code == 200, response.text
    return ClinicalVector.model_validate(response.json())


async def test_an_empty_record_gives_the_default_that_the_segmentation_model_holds(client: httpx.AsyncClient) -> None:
    found = await normalize(client)
    manifest = ModelManifest.load(MODELS / "clinical")
    assert tuple(found.features) == manifest.clinical_features
    assert tuple(found.features.values()) == pytest.approx(manifest.clinical_default, abs=1e-6)
    assert len(found.imputed) == 6


async def test_every_value_sent_shows_in_the_vector(client: httpx.AsyncClient) -> None:
    found = await normalize(
        client,
        birthDate="1973-05-17",
        studyDate="2020-11-02",
        gender="male",
        whoGrade="III",
        histology="Mixed glioma",
        race="Black or African American",
        ethnicity="Hispanic or Latino",
    )
    on = {name for name, value in found.features.items() if value == 1.0}
    assert on == {
        "gender_male",
        "who_grade",
        "histology_oligoastrocytoma",
        "race_black_or_african_american",
        "ethnicity_hispanic_or_latino",
    }
    assert found.features["age"] == pytest.approx((47 - 20) / 55, abs=0.02)
    assert found.imputed == ()
    assert found.warnings == ()


async def test_each_missing_field_raises_its_own_flag(client: httpx.AsyncClient) -> None:
    full = {
        "age": 50,
        "sex": "female",
        "who_grade": 2,
        "histological_type": "astrocytoma",
        "race": "white",
        "ethnicity": "not hispanic or latino",
    }
    flags = {}
    for missing in full:
        found = await normalize(client, **{name: value for name, value in full.items() if name != missing})
        assert found.imputed == (missing,)
        (flags[missing],) = [name for name, value in found.features.items() if name.endswith("_missing") and value == 1]
    assert len(set(flags.values())) == 6


async def test_a_value_out_of_range_is_the_end_of_the_range(client: httpx.AsyncClient) -> None:
    old, end = await normalize(client, age=120), await normalize(client, age=75)
    assert old.features == end.features
    assert old.warnings
    assert not end.warnings
