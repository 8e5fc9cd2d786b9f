"""The plane of a slice, and the features that the tumor model reads beside the picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier_service.picture import check_picture_model, gives, prepare
from classifier_service.scores import calibrated, likeliest
from service_kit.contracts.classification import Novelty, ViewClassification, ViewResult
from service_kit.contracts.common import VIEW_LABELS
from service_kit.errors import InferenceFailed, ModelInvalid
from service_kit.inference.backend import Arrays
from service_kit.inference.manifest import ModelManifest
from service_kit.inference.preprocessing import Pixels
from service_kit.inference.served import StageModels
from service_kit.offload import on_pixels


@dataclass(frozen=True, slots=True)
class ViewFinding:
    """The answer and `features [128]` float32, None where the model has none."""

    result: ViewResult
    features: NDArray[np.float32] | None


class ViewClassifier:
    """Classifies one slice with a published view model.

    Raises:
        ModelInvalid: a model that cannot answer this question.
    """

    def __init__(self, models: StageModels) -> None:
        self._models = models
        for backend in models:
            manifest = backend.manifest
            if sorted(manifest.labels) != sorted(VIEW_LABELS):
                raise ModelInvalid(f"{manifest.name}: the labels of a view model are {', '.join(VIEW_LABELS)}")
            check_picture_model(manifest, outputs={"logits"})

    async def classify(self, pixels: Pixels, model: str | None = None) -> ViewFinding:
        """Classify `pixels [rows, columns]`.

        Raises:
            InvalidRequest: no view model is called `model`.
            InferenceFailed, Overloaded, DeadlineExceeded, NotReady: from the engine.
        """
        backend = self._models.choose(model)
        manifest = backend.manifest
        grid, _ = await on_pixels(1, pixels.size, prepare, manifest, pixels)
        outputs = await backend.infer({"image": grid})
        temperature = manifest.calibration.temperature if manifest.calibration else 1.0
        probabilities = calibrated(outputs["logits"][0], manifest.labels, temperature)
        view = ViewClassification.model_validate({"label": likeliest(probabilities), "probabilities": probabilities})
        result = ViewResult(view=view, model=backend.ref, novelty=_novelty(manifest, outputs))
        return ViewFinding(result, outputs["features"][0] if gives(manifest, "features") else None)


def _novelty(manifest: ModelManifest, outputs: Arrays) -> Novelty | None:
    """The picture's novelty beside the model's limits; None for a model that does not measure it."""
    limits = manifest.novelty
    if limits is None:
        return None
    measured = outputs[limits.output][0]
    if measured.shape != (1,) or not np.isfinite(measured).all():
        raise InferenceFailed("the model gave no finite novelty")
    return Novelty(value=float(measured[0]), review_above=limits.review_above, refuse_above=limits.refuse_above)
