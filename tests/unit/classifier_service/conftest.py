from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from classifier_service.app import create_app
from classifier_service.settings import ClassifierSettings
from service_kit.contracts.common import BINARY_LABELS
from service_kit.inference.factory import InferenceSettings
from service_kit.testing import running_app, tiny_model


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_model(folder, "view")
    tiny_model(folder, "view", name="view-plain", outputs_beside=False)
    tiny_model(folder, "tumor")
    tiny_model(folder, "tumor", name="detector-cnn", labels=BINARY_LABELS, reads_view=False, outputs_beside=False)
    tiny_model(folder, "tumor", name="tumor-b", size=64, features_of="view-b")
    return folder


@pytest.fixture
def settings(models_dir: Path) -> ClassifierSettings:
    return ClassifierSettings(inference=InferenceSettings(models_dir=models_dir))


@pytest.fixture
async def client(settings: ClassifierSettings) -> AsyncIterator[httpx.AsyncClient]:
    async with running_app(create_app(settings)) as client:
        yield client


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    """A disc on black, brighter to the right: 90 rows, 60 columns."""
    row, column = np.mgrid[:90, :60]
    inside = (row - 45) ** 2 / 40**2 + (column - 30) ** 2 / 25**2 < 1
    return np.where(inside, 80 + 2 * column, 0).astype(np.uint8)
