import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from service_kit.cpu import cpu_quota
from service_kit.errors import ModelInvalid, NotFound
from service_kit.inference.factory import InferenceSettings, ModelRepository, open_backend
from service_kit.testing import tiny_model, tiny_repository


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_repository(tmp_path_factory.mktemp("models"))


def test_repository_knows_its_models(models: Path) -> None:
    repository = ModelRepository(models)
    assert {"clinical", "seg-flair-film", "seg-t1", "tumor", "view"} < set(repository.names())
    assert list(repository.names()) == sorted(repository.names())
    assert repository.manifest("tumor").stage == "tumor"
    assert [manifest.name for manifest in repository.by_stage("segmentation")] == [
        "seg-flair-film",
        "seg-t1",
        "seg-unet",
    ]
    assert repository.card("view")["name"] == "view"
    assert repository.model_path("view").is_file()


@pytest.mark.parametrize("name", ["absent", "", "..", "../models/view", "view/"])
def test_unknown_names_are_not_found(models: Path, name: str) -> None:
    repository = ModelRepository(models)
    for ask in (repository.manifest, repository.card, repository.model_path):
        with pytest.raises(NotFound, match="published: clinical"):
            ask(name)


def test_folder_that_is_not_there() -> None:
    with pytest.raises(ModelInvalid, match="no such folder"):
        ModelRepository(Path("absent")).names()


def test_empty_repository(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    assert ModelRepository(tmp_path).names() == ()


def test_folder_and_model_must_have_one_name(tmp_path: Path) -> None:
    tiny_model(tmp_path, "view")
    (tmp_path / "view").rename(tmp_path / "other")
    with pytest.raises(ModelInvalid, match="the name is view, but the folder's is other"):
        ModelRepository(tmp_path).names()


@pytest.mark.parametrize("content", ["{", "[]"])
def test_card_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    tiny_model(tmp_path, "view")
    (tmp_path / "view" / "card.json").write_text(content)
    with pytest.raises(ModelInvalid, match=r"card\.json"):
        ModelRepository(tmp_path).card("view")


def test_model_without_a_card(tmp_path: Path) -> None:
    tiny_model(tmp_path, "view")
    (tmp_path / "view" / "card.json").unlink()
    with pytest.raises(NotFound, match="no card"):
        ModelRepository(tmp_path).card("view")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: (folder / "1" / "model.onnx").write_bytes(b"changed"), "sha256 is .*, the manifest says"),
        (lambda folder: (folder / "1" / "model.onnx").unlink(), "model file 1/model.onnx is missing"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "manifest: Invalid JSON"),
        (lambda folder: edit(folder, calibration={"temperature": 0, "coverage": 0.9, "thresholds": {}}), "temperature"),
        (lambda folder: edit(folder, labels=["axial"]), "must name exactly the labels"),
        (lambda folder: edit(folder, preprocessing=None), "needs preprocessing"),
        (lambda folder: edit(folder, clinical_features=["a"], clinical_default=[1, 2]), "one value for each"),
        (lambda folder: edit(folder, surprise=1), "surprise: Extra inputs"),
        (lambda folder: edit(folder, features_of="view"), "features_of is for a model with the input view_features"),
        (lambda folder: edit(folder, variant_of="view"), "variant_of must name another model"),
    ],
)
def test_wrong_models_are_named(tmp_path: Path, change: Any, reason: str) -> None:
    tiny_model(tmp_path, "view")
    change(tmp_path / "view")
    with pytest.raises(ModelInvalid, match=reason):
        ModelRepository(tmp_path).names()


def edit(folder: Path, **fields: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_tumor_model_says_whose_features_it_reads(tmp_path: Path) -> None:
    assert tiny_model(tmp_path, "view").view_model is None
    assert tiny_model(tmp_path, "tumor").view_model == "view"
    other = tiny_model(tmp_path, "tumor", name="other", features_of="view-vgg16")
    assert ModelRepository(tmp_path).manifest("other") == other
    assert other.view_model == "view-vgg16"


def test_a_variant_has_the_stage_and_the_labels_of_its_original(tmp_path: Path) -> None:
    tiny_model(tmp_path, "tumor")
    variant = tiny_model(tmp_path, "tumor", name="tumor-int8", variant_of="tumor", provider="OpenVINOExecutionProvider")
    assert ModelRepository(tmp_path).manifest("tumor-int8") == variant
    tiny_model(tmp_path, "view", name="view-int8", variant_of="tumor")
    with pytest.raises(ModelInvalid, match="view-int8: a variant of tumor must have its stage and its labels"):
        ModelRepository(tmp_path).names()


async def test_every_tiny_model_opens_and_answers(models: Path) -> None:
    settings = InferenceSettings(models_dir=models)
    for name in ModelRepository(models).names():
        backend = open_backend(settings, name)
        arrays = {
            spec.name: np.zeros((2, *spec.shape[1:]), np.uint8 if spec.dtype == "UINT8" else np.float32)
            for spec in backend.manifest.inputs
        }
        outputs = await backend.infer(arrays)
        for spec in backend.manifest.outputs:
            assert outputs[spec.name].shape == (2, *spec.shape[1:])
            assert np.isfinite(outputs[spec.name]).all()
        assert await backend.ready()
        await backend.aclose()


@pytest.mark.parametrize("require", [False, True])
async def test_provider_of_the_manifest_goes_before_the_settings(tmp_path: Path, *, require: bool) -> None:
    tiny_model(tmp_path, "view")
    edit(tmp_path / "view", provider="CUDAExecutionProvider")
    backend = open_backend(InferenceSettings(models_dir=tmp_path, require_provider=require), "view")
    assert backend.ref.provider == "CPUExecutionProvider"
    assert await backend.ready() is not require
    await backend.aclose()


async def test_triton_is_opened_without_asking_it(models: Path) -> None:
    settings = InferenceSettings(models_dir=models, backend="triton", triton_url="127.0.0.1:9")
    backend = open_backend(settings, "view", repository=ModelRepository(models))
    assert (backend.ref.backend, backend.ref.provider) == ("triton", "unknown")
    assert not await backend.ready()
    await backend.aclose()


def test_model_that_is_not_published(models: Path) -> None:
    with pytest.raises(ModelInvalid, match="no model called absent; published: clinical"):
        open_backend(InferenceSettings(models_dir=models), "absent")


def test_settings_have_sane_defaults() -> None:
    settings = InferenceSettings()
    assert settings.concurrent_runs == cpu_quota()
    assert (settings.backend, settings.intra_op_threads) == ("onnxruntime", 1)


@pytest.mark.parametrize(
    "fields", [{"backend": "triton"}, {"backend": "other"}, {"max_batch": 0}, {"max_queue": -1}, {"concurrency": 2}]
)
def test_settings_that_make_no_sense(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        InferenceSettings(**fields)
