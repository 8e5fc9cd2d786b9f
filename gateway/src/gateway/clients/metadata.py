"""The metadata service: a clinical record in, a vector out."""

import json
from typing import Any

from gateway.clients.answers import listed, parsed
from gateway.clients.upstream import Refused, Upstream
from gateway.errors import InvalidClinicalRecord
from service_kit.contracts.clinical import ClinicalAblation, ClinicalVector
from service_kit.contracts.models import ServedModel


class MetadataClient:
    """Normalizes clinical records. See `Upstream.call` for what else is raised."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def normalize(self, record: dict[str, Any]) -> ClinicalVector:
        """The record as the caller sent it; the service alone knows which fields there are.

        Raises:
            InvalidClinicalRecord: the service refuses the record; its field errors are passed on.
        """
        return parsed(await self._post("/v1/clinical-vectors", record), ClinicalVector, stage="clinical")

    async def ablate(self, record: dict[str, Any]) -> ClinicalAblation:
        """The record's vector, an empty record's, and those of the record without each field. Raises as `normalize`."""
        return parsed(await self._post("/v1/clinical-ablations", record), ClinicalAblation, stage="clinical")

    async def models(self) -> tuple[ServedModel, ...]:
        """The models that are served."""
        return listed(await self._upstream.call("GET", "/v1/models", stage="clinical"), "clinical")

    async def ready(self) -> bool:
        """Whether the service can answer."""
        return await self._upstream.ready()

    async def _post(self, path: str, record: dict[str, Any]) -> bytes:
        content = json.dumps(record, allow_nan=False).encode()
        try:
            return await self._upstream.call("POST", path, stage="clinical", content=content)
        except Refused as refusal:
            raise InvalidClinicalRecord(refusal.detail, errors=refusal.errors) from refusal
