"""The segmenter service: where the tumor is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.clients.answers import declined, decoded, listed
from gateway.clients.upstream import Refused, Upstream
from gateway.findings import Mask, Pixels
from service_kit import tensors
from service_kit.contracts.clinical import ClinicalVector
from service_kit.contracts.common import Sequence
from service_kit.contracts.models import ServedModel
from service_kit.contracts.segmentation import SegmentationResult, VolumeSegmentationResult
from service_kit.errors import UpstreamFailed


@dataclass(frozen=True, slots=True)
class SegmentationAnswer:
    """`mask [rows, columns]` on the picture's own grid."""

    mask: Mask
    result: SegmentationResult


@dataclass(frozen=True, slots=True)
class VolumeSegmentationAnswer:
    """`labels [x, y, z]` uint8 on the volume's own grid."""

    labels: NDArray[np.uint8]
    result: VolumeSegmentationResult


class SegmenterClient:
    """Outlines a slice. See `Upstream.call` for what is raised."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def segment(
        self,
        sequences: Mapping[Sequence, Pixels],
        vector: ClinicalVector | None = None,
        *,
        always_read: bool = False,
        model: str | None = None,
    ) -> SegmentationAnswer:
        """`sequences`: arrays `[rows, columns]` of one shape. Raises `InvalidRequest` when `model` does not fit.

        `always_read` hands the vector also to a model that it did not help in evaluation.
        """
        arrays: dict[str, NDArray[Any]] = {name: pixels[np.newaxis] for name, pixels in sequences.items()}
        metadata: dict[str, str] = {}
        if vector is not None:
            arrays["clinical"] = np.fromiter(vector.features.values(), np.float32)
            metadata["clinical_features"] = json.dumps(list(vector.features))
            metadata["clinical_use"] = "always" if always_read else "auto"
        try:
            body = await self._upstream.call(
                "POST",
                "/v1/segmentations",
                stage="segmentation",
                content=tensors.encode(arrays, None, **metadata),
                media_type=tensors.MEDIA_TYPE,
                params=None if model is None else {"model": model},
            )
        except Refused as refusal:
            raise declined(refusal, "segmentation", model) from refusal
        envelope, result = decoded(body, SegmentationResult, {"mask"}, stage="segmentation")
        mask = envelope.arrays["mask"]
        expected = (1, *next(iter(sequences.values())).shape)
        if mask.shape != expected:
            raise UpstreamFailed(f"The mask has the shape {mask.shape}, not {expected}.", stage="segmentation")
        return SegmentationAnswer(mask[0].astype(np.bool_), result)

    async def models(self) -> tuple[ServedModel, ...]:
        """The models that are served."""
        return listed(await self._upstream.call("GET", "/v1/models", stage="segmentation"), "segmentation")

    async def ready(self) -> bool:
        """Whether the service can answer."""
        return await self._upstream.ready()
