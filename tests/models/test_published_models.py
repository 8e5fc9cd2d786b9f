"""The published ONNX files: signature, range, batch, and right answers on the synthetic samples."""

import json
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from model_export.catalog import CATALOG
from model_export.datasets.pictures import read_gray
from model_export.evaluation.metrics import dice, softmax
from model_export.evaluation.predictions import PublishedModel, classify_tumors, classify_views, cut, t1_probabilities
from model_export.export.networks import example_inputs
from service_kit.contracts.common import TUMOR_LABELS, VIEW_LABELS

ROOT = Path(__file__).parents[2]
NO_TUMOR = TUMOR_LABELS.index("no_tumor")
PICTURES = (
    "axial-no_tumor.png",
    "axial-glioma.png",
    "axial-glioma.dcm",
    "coronal-no_tumor.png",
    "coronal-meningioma.png",
    "sagittal-no_tumor.png",
    "sagittal-pituitary.png",
)
PUBLISHED = tuple(name for name in CATALOG if (ROOT / "models" / name / "manifest.json").exists())


@pytest.fixture(scope="module")
def opened(models: Path) -> dict[str, PublishedModel]:
    return {name: PublishedModel.open(models, name, threads=1) for name in PUBLISHED}


@pytest.fixture(scope="module")
def expected(samples: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((samples / "samples.json").read_text(encoding="utf-8"))["files"]
    return found


def _pixels(path: Path) -> np.ndarray:
    return pydicom.dcmread(path).pixel_array.astype(np.float32) if path.suffix == ".dcm" else read_gray(path)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_file_has_the_signature_that_its_manifest_states(name: str, opened: dict[str, PublishedModel]) -> None:
    published = opened[name]
    assert published.model.inputs() == published.manifest.inputs
    assert published.model.outputs() == published.manifest.outputs


@pytest.mark.parametrize("name", [name for name in PUBLISHED if CATALOG[name].kind != "tabular"])
def test_a_batch_gives_what_single_pictures_give(name: str, opened: dict[str, PublishedModel]) -> None:
    published = opened[name]
    pictures, volume = published.manifest.preprocessing, published.manifest.volume
    size = volume.patch_voxels if volume is not None else pictures.size if pictures is not None else 0
    inputs = example_inputs(name, size, 5)
    names = [spec.name for spec in published.manifest.inputs]
    arrays = {n: tensor.numpy() for n, tensor in zip(names, inputs, strict=True)}
    together, alone = published.model.run(arrays, batch=5), published.model.run(arrays, batch=1)
    for output in together:
        assert np.isfinite(together[output]).all()
        assert np.abs(together[output] - alone[output]).max() < 1e-3
    if "probabilities" in together:
        assert together["probabilities"].min() >= 0.0
        assert together["probabilities"].max() <= 1.0


@pytest.mark.parametrize("name", PICTURES)
def test_the_view_of_a_sample_is_right(
    name: str, opened: dict[str, PublishedModel], samples: Path, expected: dict[str, dict[str, object]]
) -> None:
    logits, features = classify_views(opened["view"], [lambda: _pixels(samples / name)])
    assert VIEW_LABELS[int(logits[0].argmax())] == expected[name]["view"]
    assert features.shape == (1, 128)
    assert features.min() >= 0.0


@pytest.mark.parametrize("name", PICTURES)
def test_the_class_of_a_sample_is_right(
    name: str, opened: dict[str, PublishedModel], samples: Path, expected: dict[str, dict[str, object]]
) -> None:
    calibration = opened["tumor"].manifest.calibration
    assert calibration is not None
    logits = classify_tumors(opened["view"], opened["tumor"], [lambda: _pixels(samples / name)])
    present = 1.0 - softmax(logits, calibration.temperature)[0, NO_TUMOR]
    assert (present >= 0.5) == (expected[name]["tumor_class"] != "no_tumor")
    assert TUMOR_LABELS[int(logits[0].argmax())] == expected[name]["tumor_class"]


@pytest.mark.parametrize("name", [name for name in PICTURES if "no_tumor" not in name])
def test_the_lesion_of_a_sample_is_outlined(
    name: str, opened: dict[str, PublishedModel], samples: Path, expected: dict[str, dict[str, object]]
) -> None:
    rule = opened["seg-t1"].manifest.postprocessing
    assert rule is not None
    (found,) = t1_probabilities(opened["seg-t1"], [lambda: _pixels(samples / name)])
    truth = read_gray(samples / str(expected[name]["mask"])) > 127
    assert int(truth.sum()) == expected[name]["area_px"]
    assert dice(cut(*found, rule), truth) > 0.7


def test_film_listens_to_the_record_and_works_on_flair_alone(opened: dict[str, PublishedModel], samples: Path) -> None:
    film = opened["seg-flair-film"]
    image, _ = film.place(read_gray(samples / "axial-glioma.png"))
    stack = np.stack([image] * 3)[None]
    default = np.array([film.manifest.clinical_default], np.float32)
    other = np.zeros_like(default)
    answers = [film.model.run({"image": stack, "clinical": v})["probabilities"] for v in (default, other)]
    assert answers[0].shape == (1, 1, *stack.shape[2:])
    assert np.abs(answers[0] - answers[1]).max() > 1e-6


def test_the_clinical_default_is_the_vector_of_an_empty_record(opened: dict[str, PublishedModel]) -> None:
    clinical = opened["clinical"]
    empty = np.full((1, len(clinical.manifest.clinical_columns)), np.nan, np.float32)
    vector = clinical.model.run({"record": empty})["vector"][0]
    assert vector == pytest.approx(np.array(opened["seg-flair-film"].manifest.clinical_default), abs=1e-6)


def test_samples_are_small_and_the_dicom_is_synthetic(samples: Path) -> None:
    for path in samples.iterdir():
        assert path.stat().st_size < 150_000
    found = pydicom.dcmread(samples / "axial-glioma.dcm")
    assert str(found.PatientName) == "SYNTHETIC^SAMPLE"
    assert found.Modality == "MR"
    assert list(found.ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]
    restored = (found.pixel_array // 16).astype(np.uint8)
    assert np.array_equal(restored, cv2.imread(str(samples / "axial-glioma.png"), cv2.IMREAD_GRAYSCALE))
