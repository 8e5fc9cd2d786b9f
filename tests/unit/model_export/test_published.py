"""What lies under `models/`: catalog, manifests, cards and Triton configurations agree."""

import re
from pathlib import Path

import pytest

from model_export.card import ModelCard
from model_export.catalog import CATALOG, MODEL_SETS
from model_export.export.triton_config import triton_config
from service_kit.contracts.common import TUMOR_LABELS, VIEW_LABELS
from service_kit.inference.manifest import ModelManifest, TensorSpec

MODELS = Path(__file__).parents[3] / "models"
MAX_BYTES = 25_000_000
MAX_REPOSITORY_BYTES = 150_000_000


PUBLISHED = tuple(name for name in CATALOG if (MODELS / name / "manifest.json").exists())


@pytest.fixture(params=PUBLISHED)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_default_is_published() -> None:
    assert set(MODEL_SETS["defaults"]) <= set(PUBLISHED)


def test_the_repository_is_small_enough_to_clone() -> None:
    assert sum(path.stat().st_size for path in MODELS.rglob("*") if path.is_file()) <= MAX_REPOSITORY_BYTES


def test_every_published_model_is_whole(name: str) -> None:
    manifest = ModelManifest.load(MODELS / name)  # checks the hash too
    assert manifest.name == name
    assert manifest.stage == CATALOG[name].stage
    assert manifest.labels == CATALOG[name].labels
    assert (MODELS / name / manifest.file).stat().st_size < MAX_BYTES


def test_the_batch_dimension_is_free(name: str) -> None:
    manifest = ModelManifest.load(MODELS / name)
    for spec in (*manifest.inputs, *manifest.outputs):
        assert spec.shape[0] == -1
        assert all(size > 0 for size in spec.shape[1:])


def test_pictures_are_bytes_of_the_size_that_preprocessing_makes(name: str) -> None:
    manifest = ModelManifest.load(MODELS / name)
    if manifest.volume is not None:
        sides = (manifest.volume.patch_voxels,) * 3
        assert manifest.inputs[0].shape == (-1, len(manifest.sequences), *sides)
        return
    if manifest.preprocessing is None:
        assert name == "clinical"
        return
    image = manifest.inputs[0]
    channels = max(1, len(manifest.sequences)) if name == "seg-flair-film" else 1
    assert image == TensorSpec(
        name="image",
        dtype="UINT8",
        shape=(-1, channels, manifest.preprocessing.size, manifest.preprocessing.size),
    )


def test_the_card_describes_this_file_and_its_parity(name: str) -> None:
    manifest, card = ModelManifest.load(MODELS / name), ModelCard.load(MODELS / name)
    assert card.sha256 == manifest.sha256
    assert card.verification.passed
    assert card.verification.max_probability_difference <= 1e-4
    assert card.verification.batches == (1, 5)
    assert card.groups == manifest.training.groups
    assert "not a medical device" in card.notice.lower()
    assert card.metrics
    assert card.limits
    assert card.licences


def test_the_triton_configuration_says_what_the_manifest_says(name: str) -> None:
    manifest = ModelManifest.load(MODELS / name)
    text = (MODELS / name / "config.pbtxt").read_text(encoding="utf-8")
    assert text == triton_config(name, manifest.inputs, manifest.outputs, CATALOG[name].max_batch)
    assert re.search(r"max_batch_size: [1-9]", text)
    assert "instance_group" not in text


def test_classifiers_are_calibrated() -> None:
    for name, labels in (("view", VIEW_LABELS), ("tumor", TUMOR_LABELS)):
        calibration = ModelManifest.load(MODELS / name).calibration
        assert calibration is not None
        assert tuple(calibration.thresholds) == labels
        assert calibration.coverage == 0.95


def test_the_film_model_reads_what_the_clinical_model_writes() -> None:
    film, clinical = (ModelManifest.load(MODELS / name) for name in ("seg-flair-film", "clinical"))
    assert film.clinical_features == clinical.clinical_features
    assert film.clinical_default == clinical.clinical_default
    assert film.inputs[1].shape == clinical.outputs[0].shape == (-1, len(film.clinical_features))
    assert film.sequences == ("t1", "flair", "t1ce")
    assert film.fallback == {"t1": "flair", "t1ce": "flair"}
    assert film.training.groups_sha256 == clinical.training.groups_sha256


def test_a_configuration_names_types_and_dims_without_the_batch() -> None:
    text = triton_config(
        "m",
        [TensorSpec(name="a", dtype="UINT8", shape=(-1, 1, 8, 8)), TensorSpec(name="b", dtype="FP32", shape=(-1, 3))],
        [TensorSpec(name="c", dtype="FP32", shape=(-1, 2))],
        4,
    )
    assert '{ name: "a" data_type: TYPE_UINT8 dims: [ 1, 8, 8 ] },' in text
    assert '{ name: "b" data_type: TYPE_FP32 dims: [ 3 ] }\n' in text
    assert "max_batch_size: 4" in text
