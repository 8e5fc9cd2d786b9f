"""The classifier service: which plane, which tumor."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from gateway.clients.answers import declined, decoded, listed
from gateway.clients.upstream import Refused, Upstream
from gateway.findings import Pixels, Saliency
from service_kit import tensors
from service_kit.contracts.classification import (
    Novelty,
    TumorClassification,
    TumorResult,
    ViewClassification,
    ViewResult,
)
from service_kit.contracts.common import ModelRef, StageName
from service_kit.contracts.models import ServedModel
from service_kit.errors import UpstreamFailed


@dataclass(frozen=True, slots=True)
class ViewAnswer:
    """The plane, `features [128]` float32 for a tumor model that reads them, `novelty`: each None without it."""

    view: ViewClassification
    model: ModelRef
    features: NDArray[np.float32] | None
    novelty: Novelty | None = None


@dataclass(frozen=True, slots=True)
class ViewFeatures:
    """`values [128]` float32 for a tumor model, and the view model that gave them, or whose variant did."""

    values: NDArray[np.float32]
    view_model: str


@dataclass(frozen=True, slots=True)
class TumorAnswer:
    """The tumor's type; `saliency` is None where it was not asked for, and where the model has none."""

    tumor: TumorClassification
    model: ModelRef
    saliency: Saliency | None


class ClassifierClient:
    """View and tumor, which may be two deployments of the one service. See `Upstream.call` for what is raised."""

    def __init__(self, view: Upstream, tumor: Upstream) -> None:
        self._view = view
        self._tumor = tumor

    async def classify_view(self, pixels: Pixels, *, model: str | None = None) -> ViewAnswer:
        """`pixels [rows, columns]`, uint8 or float32. Raises `InvalidRequest` for an unknown `model`."""
        body = await self._post(self._view, "view", "/v1/view-classifications", {"image": pixels}, model)
        envelope, result = decoded(body, ViewResult, set(), stage="view")
        return ViewAnswer(result.view, result.model, envelope.arrays.get("features"), result.novelty)

    async def classify_tumor(
        self, pixels: Pixels, features: ViewFeatures | None, *, heatmap: bool = True, model: str | None = None
    ) -> TumorAnswer:
        """`pixels [rows, columns]`, with the view features for a model that reads them.

        Raises `InvalidRequest` for an unknown `model`.
        """
        arrays: dict[str, NDArray[Any]] = {"image": pixels}
        path = f"/v1/tumor-classifications?heatmap={'true' if heatmap else 'false'}"
        if features is not None:
            arrays["view_features"] = features.values
            path += f"&features_of={quote(features.view_model)}"
        body = await self._post(self._tumor, "tumor", path, arrays, model)
        envelope, result = decoded(body, TumorResult, set(), stage="tumor")
        if result.heatmap_label is not None and "heatmap" not in envelope.arrays:
            raise UpstreamFailed("A service's answer lacks the array heatmap.", stage="tumor")
        return TumorAnswer(result.tumor, result.model, _saliency(envelope, result))

    async def models(self, stage: StageName) -> tuple[ServedModel, ...]:
        """The models that the deployment of `stage` serves for it."""
        upstream = self._view if stage == "view" else self._tumor
        return listed(await upstream.call("GET", "/v1/models", stage=stage), stage)

    async def ready(self) -> dict[str, bool]:
        """Whether each deployment can answer, by stage."""
        return {"view": await self._view.ready(), "tumor": await self._tumor.ready()}

    @staticmethod
    async def _post(
        upstream: Upstream, stage: StageName, path: str, arrays: dict[str, NDArray[Any]], model: str | None
    ) -> bytes:
        content = tensors.encode(arrays)
        try:
            return await upstream.call(
                "POST",
                path,
                stage=stage,
                content=content,
                media_type=tensors.MEDIA_TYPE,
                params=None if model is None else {"model": model},
            )
        except Refused as refusal:
            raise declined(refusal, stage, model) from refusal


def _saliency(envelope: tensors.Envelope, result: TumorResult) -> Saliency | None:
    if result.heatmap_extent is None or result.heatmap_label is None:
        return None
    return Saliency(envelope.arrays["heatmap"], result.heatmap_extent, result.heatmap_label)
