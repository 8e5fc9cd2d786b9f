from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from metadata_service.app import create_app
from metadata_service.settings import MetadataSettings
from service_kit.inference.manifest import ClinicalColumn, TensorSpec
from service_kit.testing import FakeBackend, running_app, tiny_model

COLUMNS = (
    ClinicalColumn(name="age", kind="number", unit="years", minimum=20.0, maximum=75.0, imputed=44.0),
    ClinicalColumn(name="sex", kind="category", codes={"female": 1, "male": 2}, imputed=1.0),
    ClinicalColumn(name="who_grade", kind="number", minimum=2.0, maximum=3.0, imputed=2.0),
    ClinicalColumn(
        name="histological_type",
        kind="category",
        codes={"astrocytoma": 1, "oligoastrocytoma": 2, "oligodendroglioma": 3},
        imputed=3.0,
    ),
    ClinicalColumn(name="race", kind="category", codes={"black or african american": 2, "white": 3}, imputed=3.0),
    ClinicalColumn(
        name="ethnicity",
        kind="category",
        codes={"hispanic or latino": 1, "not hispanic or latino": 2},
        imputed=2.0,
    ),
)
IMPUTED = np.array([column.imputed for column in COLUMNS], np.float32)


def fill_in(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """The published model's imputation without its scaling: the vector is the record, in the columns' own codes."""
    record = arrays["record"]
    return {"vector": np.where(np.isnan(record), IMPUTED, record)}


@pytest.fixture
def backend(tmp_path: Path) -> FakeBackend:
    tiny = tiny_model(tmp_path, "clinical")
    manifest = tiny.model_copy(
        update={
            "inputs": (TensorSpec(name="record", dtype="FP32", shape=(-1, 6)),),
            "outputs": (TensorSpec(name="vector", dtype="FP32", shape=(-1, 6)),),
            "clinical_columns": COLUMNS,
            "clinical_features": tuple(column.name for column in COLUMNS),
            "clinical_default": tuple(IMPUTED.tolist()),
        }
    )
    return FakeBackend(manifest, fill_in)


@pytest.fixture
async def client(backend: FakeBackend) -> AsyncIterator[httpx.AsyncClient]:
    async with running_app(create_app(MetadataSettings(), backend=backend)) as client:
        yield client
