from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from classifier_service.tumor import TumorClassifier
from service_kit.contracts.common import BINARY_LABELS
from service_kit.errors import InferenceFailed, InvalidRequest, ModelInvalid
from service_kit.inference.manifest import Calibration
from service_kit.inference.served import StageModels
from service_kit.testing import FakeBackend, tiny_model

# glioma, meningioma, no_tumor, pituitary
THRESHOLDS = {"glioma": 0.3, "meningioma": 0.2, "no_tumor": 0.9, "pituitary": 0.5}
FEATURES = np.ones(128, np.float32)


def classifier(folder: Path, probabilities: list[float]) -> tuple[TumorClassifier, FakeBackend]:
    """A model that answers with these probabilities; the map of class k is k + 1 in the middle cell alone."""
    manifest = tiny_model(
        folder, "tumor", calibration=Calibration(temperature=2.0, coverage=0.95, thresholds=THRESHOLDS)
    )
    logits = 2.0 * np.log(np.array([probabilities], np.float32))
    cam = np.zeros((1, 4, 4, 4), np.float32)
    cam[0, :, 2, 2] = np.arange(4) + 1
    cam[0, 1, 1, 1] = 1.0
    backend = FakeBackend(manifest, lambda _: {"logits": logits, "cam": cam})
    return TumorClassifier(StageModels("tumor", [backend])), backend


async def test_probabilities_are_calibrated_and_the_set_follows_the_thresholds(
    tmp_path: Path, picture: NDArray[np.uint8]
) -> None:
    tumor, backend = classifier(tmp_path, [0.6, 0.25, 0.1, 0.05])
    finding = await tumor.classify(picture, FEATURES)
    found = finding.result.tumor
    assert found.label == "glioma"
    assert found.probabilities == pytest.approx(
        {"glioma": 0.6, "meningioma": 0.25, "no_tumor": 0.1, "pituitary": 0.05}, abs=1e-6
    )
    assert found.present_probability == pytest.approx(0.9, abs=1e-6)
    assert found.prediction_set == ("glioma", "meningioma")
    assert found.coverage == 0.95
    assert finding.result.model == backend.ref
    assert np.array_equal(backend.calls[0]["view_features"], FEATURES[None])


async def test_a_picture_unlike_all_calibrated_on_gives_an_empty_set(
    tmp_path: Path, picture: NDArray[np.uint8]
) -> None:
    tumor, _ = classifier(tmp_path, [0.05, 0.05, 0.6, 0.3])
    found = (await tumor.classify(picture, FEATURES)).result.tumor
    assert found.label == "no_tumor"
    assert found.prediction_set == ()


async def test_no_map_unless_asked_for(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    tumor, _ = classifier(tmp_path, [0.6, 0.25, 0.1, 0.05])
    finding = await tumor.classify(picture, FEATURES)
    assert finding.heatmap is None
    assert finding.result.heatmap_label is None
    assert finding.result.heatmap_extent is None


@pytest.mark.parametrize(
    ("probabilities", "label", "beside"),
    [([0.6, 0.25, 0.1, 0.05], "glioma", 0.0), ([0.05, 0.2, 0.6, 0.15], "meningioma", 0.5)],
)
async def test_the_map_is_for_the_label_or_the_likeliest_tumor(
    tmp_path: Path, picture: NDArray[np.uint8], probabilities: list[float], label: str, beside: float
) -> None:
    tumor, _ = classifier(tmp_path, probabilities)
    finding = await tumor.classify(picture, FEATURES, heatmap=True)
    assert finding.result.heatmap_label == label
    assert finding.heatmap is not None
    assert finding.heatmap.shape == (4, 4)
    assert finding.heatmap[2, 2] == 1.0
    assert finding.heatmap[1, 1] == beside
    assert finding.result.heatmap_extent is not None
    top, left, height, width = finding.result.heatmap_extent
    assert top < 45 < top + height
    assert left < 30 < left + width


async def test_a_model_that_answers_nan_fails(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    tumor, _ = classifier(tmp_path, [np.nan, 0.2, 0.6, 0.15])
    with pytest.raises(InferenceFailed, match="finite"):
        await tumor.classify(picture, FEATURES)


async def test_a_model_without_calibration_promises_nothing(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    manifest = tiny_model(tmp_path, "tumor", calibration=None, reads_view=False)
    backend = FakeBackend(manifest, lambda _: {"logits": np.array([[4, 1, 0, 2]], np.float32)})
    found = (await TumorClassifier(StageModels("tumor", [backend])).classify(picture)).result.tumor
    assert found.prediction_set == ("glioma", "pituitary", "meningioma", "no_tumor")
    assert found.coverage == 1.0
    assert found.probabilities["glioma"] == pytest.approx(np.exp(4) / np.exp([4, 1, 0, 2]).sum())
    assert "not calibrated" in found.warnings[0]


async def test_a_binary_model_knows_no_types(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    manifest = tiny_model(tmp_path, "tumor", name="detector-cnn", labels=BINARY_LABELS, reads_view=False)
    cam = np.zeros((1, 2, 4, 4), np.float32)
    cam[0, 1, 2, 2] = 3.0
    logits = np.log(np.array([[0.6, 0.4]], np.float32))
    backend = FakeBackend(manifest, lambda _: {"logits": logits, "cam": cam})
    finding = await TumorClassifier(StageModels("tumor", [backend])).classify(picture, FEATURES, heatmap=True)
    found = finding.result.tumor
    assert (found.label, found.warnings) == ("no_tumor", ())
    assert found.probabilities == pytest.approx({"no_tumor": 0.6, "tumor": 0.4}, abs=1e-6)
    assert found.present_probability == pytest.approx(0.4, abs=1e-6)
    assert set(found.prediction_set) == {"no_tumor", "tumor"}
    assert finding.result.heatmap_label == "tumor"
    assert finding.heatmap is not None
    assert finding.heatmap[2, 2] == 1.0
    assert backend.calls[0].keys() == {"image"}, "features that the model does not read are left out"


async def test_a_model_without_a_map_says_so_where_one_is_asked_for(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    manifest = tiny_model(tmp_path, "tumor", reads_view=False, outputs_beside=False)
    backend = FakeBackend(manifest, lambda _: {"logits": np.array([[4, 1, 0, 2]], np.float32)})
    tumor = TumorClassifier(StageModels("tumor", [backend]))
    asked = await tumor.classify(picture, heatmap=True)
    assert (asked.heatmap, asked.result.heatmap_label, asked.result.heatmap_extent) == (None, None, None)
    assert asked.result.tumor.warnings == ("There is no heat map: the model tumor gives none.",)
    assert (await tumor.classify(picture)).result.tumor.warnings == ()


async def test_a_model_that_reads_features_gets_those_of_its_view_model(
    tmp_path: Path, picture: NDArray[np.uint8]
) -> None:
    manifest = tiny_model(tmp_path, "tumor", features_of="view-vgg16")
    tumor = TumorClassifier(StageModels("tumor", [FakeBackend(manifest, lambda _: {})]))
    assert tumor.reads_of() == tumor.reads_of(given_by="view-vgg16") == 128
    with pytest.raises(InvalidRequest, match="tumor reads the features of the view model view-vgg16"):
        tumor.reads_of(given_by="view")
    with pytest.raises(InvalidRequest, match="view model view-vgg16: send them"):
        await tumor.classify(picture)


@pytest.mark.parametrize("labels", [("glioma", "no_tumor"), ("no_tumor", "tumor", "glioma"), ("tumor", "tumor")])
def test_a_model_of_other_labels_is_refused(tmp_path: Path, labels: tuple[str, ...]) -> None:
    manifest = tiny_model(tmp_path, "tumor", labels=labels, calibration=None)
    with pytest.raises(ModelInvalid, match=r"the labels of a tumor model are .* or no_tumor, tumor"):
        TumorClassifier(StageModels("tumor", [FakeBackend(manifest, lambda _: {})]))
