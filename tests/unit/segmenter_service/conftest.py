from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from segmenter_service.app import create_app
from segmenter_service.settings import SegmenterSettings
from service_kit.inference.factory import InferenceSettings
from service_kit.testing import running_app, tiny_model, tiny_volume_model

Stack = NDArray[np.uint8]


def _lesion() -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """A brain `[x, y, z]` of even noise, and in it a ball so bright that it is over every level of the tiny model."""
    volume = np.zeros((40, 36, 30), np.int16)
    volume[4:36, 4:32, 4:26] = np.random.default_rng(3).integers(90, 110, (32, 28, 22))
    x, y, z = np.ogrid[:40, :36, :30]
    lesion = (x - 14) ** 2 + (y - 20) ** 2 + (z - 12) ** 2 <= 25
    volume[lesion] = 250
    return volume, lesion


VOLUME, LESION = _lesion()


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models of the published names: they mark what is brighter than half."""
    folder = tmp_path_factory.mktemp("models")
    tiny_model(folder, "segmentation", sequences=("t1ce",), fallback={"t1ce": "t1", "t1": "t2"})
    tiny_model(
        folder,
        "segmentation",
        name="seg-flair-film",
        sequences=("t1", "flair", "t1ce"),
        clinical=True,
        fallback={"t1": "flair", "t1ce": "flair"},
        clinical_default=(0.0, 0.0, 0.0),
    )
    tiny_volume_model(folder)
    return folder


@pytest.fixture
def settings(models_dir: Path) -> SegmenterSettings:
    return SegmenterSettings(inference=InferenceSettings(models_dir=models_dir))


@pytest.fixture
async def client(settings: SegmenterSettings) -> AsyncIterator[httpx.AsyncClient]:
    async with running_app(create_app(settings)) as client:
        yield client


@pytest.fixture
def stack() -> Stack:
    """Ten slices `[10, 96, 64]` of a dark head with a bright square that moves down; slice 0 has none."""
    slices = np.zeros((10, 96, 64), np.uint8)
    slices[:, 8:88, 8:56] = 60
    for number in range(1, 10):
        slices[number, 10 + 6 * number : 26 + 6 * number, 20:40] = 250
    return slices
