"""The type of a tumor: calibrated probabilities, prediction set, and the map of the evidence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier_service.picture import check_picture_model, prepare
from classifier_service.saliency import Extent, extent, heat_map
from classifier_service.scores import calibrated, likeliest, prediction_set
from service_kit.contracts.classification import TumorClassification, TumorResult
from service_kit.contracts.common import TUMOR_LABELS
from service_kit.errors import ModelInvalid
from service_kit.inference.manifest import Calibration, ModelManifest
from service_kit.inference.preprocessing import Pixels
from service_kit.inference.served import StageModels
from service_kit.offload import on_pixels

NO_TUMOR = "no_tumor"


@dataclass(frozen=True, slots=True)
class TumorFinding:
    """The answer and, where asked for, `heatmap [h, w]` float32 in 0..1."""

    result: TumorResult
    heatmap: NDArray[np.float32] | None


class TumorClassifier:
    """Classifies one slice with a published tumor model.

    Raises:
        ModelInvalid: a model that cannot answer this question.
    """

    def __init__(self, models: StageModels) -> None:
        self._models = models
        for backend in models:
            manifest = backend.manifest
            check_picture_model(manifest, inputs={"image", "view_features"}, outputs={"logits", "cam"})
            if set(manifest.labels) != set(TUMOR_LABELS):
                raise ModelInvalid(f"{manifest.name}: the labels of a tumor model are {', '.join(TUMOR_LABELS)}")
            _calibration(manifest)

    def features_length(self, model: str | None = None) -> int:
        """How many view features the model reads.

        Raises:
            InvalidRequest: no tumor model is called `model`.
        """
        inputs = {spec.name: spec for spec in self._models.choose(model).manifest.inputs}
        return inputs["view_features"].shape[-1]

    async def classify(
        self, pixels: Pixels, view_features: NDArray[np.float32], *, heatmap: bool = False, model: str | None = None
    ) -> TumorFinding:
        """Classify `pixels [rows, columns]` with the `view_features [128]` that a view model gave for them.

        Raises:
            InvalidRequest: no tumor model is called `model`.
            InferenceFailed, Overloaded, DeadlineExceeded, NotReady: from the engine.
        """
        backend = self._models.choose(model)
        manifest = backend.manifest
        calibration = _calibration(manifest)
        grid, placement = await on_pixels(1, pixels.size, prepare, manifest, pixels)
        outputs = await backend.infer({"image": grid, "view_features": view_features[None]})
        probabilities = calibrated(outputs["logits"][0], manifest.labels, calibration.temperature)
        tumor = _classification(probabilities, calibration)
        label: str | None = None
        place: Extent | None = None
        evidence: NDArray[np.float32] | None = None
        if heatmap:
            label, size = _explained(probabilities), grid.shape[-1]
            evidence = heat_map(outputs["cam"][0, manifest.labels.index(label)], placement, size)
            place = extent(placement, size)
        result = TumorResult.model_validate(
            {"tumor": tumor, "model": backend.ref, "heatmap_label": label, "heatmap_extent": place}
        )
        return TumorFinding(result, evidence)


def _calibration(manifest: ModelManifest) -> Calibration:
    if manifest.calibration is None:
        raise ModelInvalid(f"{manifest.name}: a tumor model needs calibration: its set would promise nothing")
    return manifest.calibration


def _classification(probabilities: dict[str, float], calibration: Calibration) -> TumorClassification:
    return TumorClassification.model_validate(
        {
            "label": likeliest(probabilities),
            "present_probability": 1.0 - probabilities[NO_TUMOR],
            "probabilities": probabilities,
            "prediction_set": prediction_set(probabilities, calibration),
            "coverage": calibration.coverage,
        }
    )


def _explained(probabilities: dict[str, float]) -> str:
    """The class that the map is for: the label, or the likeliest tumor where the label is no_tumor."""
    label = likeliest(probabilities)
    if label != NO_TUMOR:
        return label
    return likeliest({name: value for name, value in probabilities.items() if name != NO_TUMOR})
