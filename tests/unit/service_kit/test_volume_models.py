"""3D models beside those that read slices: known to the repository, never handed to a service that reads slices."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from service_kit.errors import ModelInvalid
from service_kit.inference.factory import InferenceSettings, ModelRepository
from service_kit.inference.manifest import ModelManifest, TensorSpec
from service_kit.inference.served import StageModels
from service_kit.inference.tumor_regions import REGIONS
from service_kit.inference.volume import VolumePreprocessing
from service_kit.testing import tiny_model

INPUTS = (
    TensorSpec(name="volume", dtype="FP32", shape=(-1, 4, 32, 32, 32)),
    TensorSpec(name="present", dtype="FP32", shape=(-1, 4)),
)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """One model that reads slices, and one that says it reads volumes."""
    tiny_model(tmp_path, "segmentation", name="seg-t1")
    flat = tiny_model(tmp_path, "segmentation", name="unet3d")
    changes = {"preprocessing": None, "volume": VolumePreprocessing(patch_voxels=32), "inputs": INPUTS}
    flat.model_copy(update={**changes, "labels": REGIONS}).dump(tmp_path / "unet3d")
    return tmp_path


def test_models_that_read_volumes_are_listed_apart(models: Path) -> None:
    repository = ModelRepository(models)
    assert [manifest.name for manifest in repository.by_stage("segmentation")] == ["seg-t1"]
    (found,) = repository.by_stage("segmentation", volumes=True)
    assert (found.name, found.labels) == ("unet3d", REGIONS)
    assert found.volume == VolumePreprocessing(patch_voxels=32, spacing_mm=1.0, step=0.5, mirrored=())


async def test_a_service_that_reads_slices_is_not_given_one(models: Path) -> None:
    settings = InferenceSettings(models_dir=models)
    of_slices = StageModels.open(settings, "segmentation", ["seg-t1"])
    assert [served.ref.name for served in of_slices.describe()] == ["seg-t1"]
    await of_slices.aclose()
    with pytest.raises(ModelInvalid, match="no segmentation model called unet3d; published: seg-t1"):
        StageModels.open(settings, "segmentation", ["unet3d"])


@pytest.mark.parametrize(
    "changes", [{"preprocessing": {"size": 32}}, {"inputs": [INPUTS[0].model_dump()]}, {"volume": {"patch_voxels": 0}}]
)
def test_a_manifest_of_a_3d_model_must_agree_with_itself(models: Path, changes: dict[str, object]) -> None:
    whole = ModelManifest.load(models / "unet3d").model_dump(mode="json")
    with pytest.raises(ValidationError, match=r"a 3D model reads volume and present|patch_voxels"):
        ModelManifest.model_validate({**whole, **changes})
