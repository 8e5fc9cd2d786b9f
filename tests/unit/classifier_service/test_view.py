from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from classifier_service.view import ViewClassifier
from service_kit.contracts.classification import ViewLabel
from service_kit.errors import ModelInvalid
from service_kit.inference.manifest import Calibration
from service_kit.inference.served import StageModels
from service_kit.testing import FakeBackend, tiny_model

FEATURES = np.arange(128, dtype=np.float32)


def answer(logits: list[float]) -> dict[str, NDArray[np.float32]]:
    return {"logits": np.array([logits], np.float32), "features": FEATURES[None]}


@pytest.mark.parametrize(("logits", "label"), [([3, 1, 0], "axial"), ([1, 3, 0], "coronal"), ([0, 1, 3], "sagittal")])
async def test_the_label_is_the_highest_score(
    tmp_path: Path, picture: NDArray[np.uint8], logits: list[float], label: ViewLabel
) -> None:
    backend = FakeBackend(tiny_model(tmp_path, "view"), lambda _: answer(logits))
    finding = await ViewClassifier(StageModels("view", [backend])).classify(picture)
    assert finding.result.view.label == label
    assert finding.result.view.source == "model"
    assert finding.result.model == backend.ref
    assert finding.features.tolist() == FEATURES.tolist()


async def test_the_model_sees_the_picture_as_its_manifest_wants_it(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    manifest = tiny_model(tmp_path, "view")
    assert manifest.preprocessing is not None
    backend = FakeBackend(manifest, lambda _: answer([0, 0, 0]))
    await ViewClassifier(StageModels("view", [backend])).classify(picture)
    expected, _ = manifest.preprocessing.apply(picture)
    assert np.array_equal(backend.calls[0]["image"], expected[None, None])


async def test_the_temperature_softens(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    thresholds = {"axial": 0.1, "coronal": 0.1, "sagittal": 0.1}
    soft = Calibration(temperature=5.0, coverage=0.95, thresholds=thresholds)
    found = []
    for number, calibration in enumerate((None, soft)):
        manifest = tiny_model(tmp_path, "view", name=f"view-{number}", calibration=calibration)
        backend = FakeBackend(manifest, lambda _: answer([3, 0, 0]))
        finding = await ViewClassifier(StageModels("view", [backend])).classify(picture)
        found.append(finding.result.view.probabilities["axial"])
    assert found == pytest.approx([np.exp(3) / (np.exp(3) + 2), np.exp(0.6) / (np.exp(0.6) + 2)])


def test_a_model_with_other_labels_is_refused(tmp_path: Path) -> None:
    manifest = tiny_model(tmp_path, "view", labels=("up", "down", "left"), calibration=None)
    with pytest.raises(ModelInvalid, match="axial, coronal, sagittal"):
        ViewClassifier(StageModels("view", [FakeBackend(manifest, lambda _: {})]))


async def test_a_model_without_features_gives_the_plane_alone(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    manifest = tiny_model(tmp_path, "view", outputs_beside=False)
    backend = FakeBackend(manifest, lambda _: {"logits": np.array([[0, 2, 1]], np.float32)})
    finding = await ViewClassifier(StageModels("view", [backend])).classify(picture)
    assert (finding.result.view.label, finding.features) == ("coronal", None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: {"outputs": m.outputs[1:]}, "no output logits"),
        (lambda m: {"inputs": (*m.inputs, m.outputs[1])}, "its inputs must be image"),
        (lambda m: {"outputs": (m.outputs[0].model_copy(update={"shape": (-1, 4)}),)}, "one channel for each of its"),
        (lambda m: {"inputs": (m.inputs[0].model_copy(update={"dtype": "FP32"}),)}, "must be UINT8"),
    ],
)
def test_a_model_of_another_signature_is_refused(tmp_path: Path, change: Any, reason: str) -> None:
    manifest = tiny_model(tmp_path, "view")
    changed = manifest.model_copy(update=change(manifest))
    with pytest.raises(ModelInvalid, match=reason):
        ViewClassifier(StageModels("view", [FakeBackend(changed, lambda _: {})]))
