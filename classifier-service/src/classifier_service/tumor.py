"""The type of a tumor: calibrated probabilities, prediction set, and the map of the evidence."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier_service.picture import check_picture_model, gives, prepare
from classifier_service.saliency import Extent, extent, heat_map
from classifier_service.scores import calibrated, likeliest, prediction_set
from service_kit.contracts.classification import TumorClassification, TumorResult
from service_kit.contracts.common import BINARY_LABELS, TUMOR_LABELS
from service_kit.errors import InvalidRequest, ModelInvalid
from service_kit.inference.manifest import VIEW_FEATURES, Calibration, ModelManifest
from service_kit.inference.preprocessing import Pixels
from service_kit.inference.served import StageModels
from service_kit.offload import on_pixels

NO_TUMOR = "no_tumor"
CAM = "cam"


@dataclass(frozen=True, slots=True)
class TumorFinding:
    """The answer and, where asked for and where the model has one, `heatmap [h, w]` float32 in 0..1."""

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
            _check_model(backend.manifest)

    def reads_of(self, model: str | None = None, *, given_by: str | None = None) -> int | None:
        """How many view features the model reads; None where it reads none.

        `given_by` is the view model that the features at hand are of, where that is known.

        Raises:
            InvalidRequest: no tumor model is called `model`, or it reads the features of another view model.
        """
        manifest = self._models.choose(model).manifest
        if manifest.view_model is None:
            return None
        if given_by is not None and given_by != manifest.view_model:
            raise InvalidRequest(
                f"{VIEW_FEATURES}: {manifest.name} reads the features of the view model {manifest.view_model}, "
                "not of another one",
                stage=self._models.stage,
            )
        return next(spec.shape[-1] for spec in manifest.inputs if spec.name == VIEW_FEATURES)

    async def classify(
        self,
        pixels: Pixels,
        view_features: NDArray[np.float32] | None = None,
        *,
        heatmap: bool = False,
        model: str | None = None,
    ) -> TumorFinding:
        """Classify `pixels [rows, columns]`, with the `view_features [K]` of the picture for a model that reads them.

        A heat map that the model cannot give is a warning in the answer.

        Raises:
            InvalidRequest: no tumor model is called `model`, or it reads view features and there are none.
            InferenceFailed, Overloaded, DeadlineExceeded, NotReady: from the engine.
        """
        backend = self._models.choose(model)
        manifest = backend.manifest
        grid, placement = await on_pixels(1, pixels.size, prepare, manifest, pixels)
        outputs = await backend.infer({"image": grid, **_features(manifest, view_features)})
        temperature = manifest.calibration.temperature if manifest.calibration else 1.0
        probabilities = calibrated(outputs["logits"][0], manifest.labels, temperature)
        mapped = heatmap and gives(manifest, CAM)
        warnings = tuple(_warnings(manifest, unmapped=heatmap and not mapped))
        tumor = _classification(probabilities, manifest.calibration, warnings)
        label: str | None = None
        place: Extent | None = None
        evidence: NDArray[np.float32] | None = None
        if mapped:
            label, size = _explained(probabilities), grid.shape[-1]
            evidence = heat_map(outputs[CAM][0, manifest.labels.index(label)], placement, size)
            place = extent(placement, size)
        result = TumorResult.model_validate(
            {"tumor": tumor, "model": backend.ref, "heatmap_label": label, "heatmap_extent": place}
        )
        return TumorFinding(result, evidence)


def _check_model(manifest: ModelManifest) -> None:
    if sorted(manifest.labels) not in (sorted(TUMOR_LABELS), sorted(BINARY_LABELS)):
        raise ModelInvalid(
            f"{manifest.name}: the labels of a tumor model are {', '.join(TUMOR_LABELS)}, or {', '.join(BINARY_LABELS)}"
        )
    check_picture_model(manifest, outputs={"logits"}, also_reads={VIEW_FEATURES})


def _features(manifest: ModelManifest, view_features: NDArray[np.float32] | None) -> dict[str, NDArray[np.float32]]:
    if manifest.view_model is None:
        return {}
    if view_features is None:
        raise InvalidRequest(f"{manifest.name} reads the features of the view model {manifest.view_model}: send them")
    return {VIEW_FEATURES: view_features[None]}


def _warnings(manifest: ModelManifest, *, unmapped: bool) -> Iterator[str]:
    if unmapped:
        yield f"There is no heat map: the model {manifest.name} gives none."
    if manifest.calibration is None:
        yield (
            f"The model {manifest.name} is not calibrated: its probabilities are raw scores, and its prediction set "
            "holds every label."
        )


def _classification(
    probabilities: dict[str, float], calibration: Calibration | None, warnings: tuple[str, ...]
) -> TumorClassification:
    every_label = tuple(sorted(probabilities, key=lambda label: -probabilities[label]))
    return TumorClassification.model_validate(
        {
            "label": likeliest(probabilities),
            "present_probability": 1.0 - probabilities[NO_TUMOR],
            "probabilities": probabilities,
            "prediction_set": prediction_set(probabilities, calibration) if calibration else every_label,
            "coverage": calibration.coverage if calibration else 1.0,
            "warnings": warnings,
        }
    )


def _explained(probabilities: dict[str, float]) -> str:
    """The class that the map is for: the label, or the likeliest tumor where the label is no_tumor."""
    label = likeliest(probabilities)
    if label != NO_TUMOR:
        return label
    return likeliest({name: value for name, value in probabilities.items() if name != NO_TUMOR})
