"""The metadata service: a clinical record in, a vector out."""

import json
from typing import Any

from gateway.clients.answers import listed, parsed
from gateway.clients.upstream import Refused, Upstream
from gateway.errors import InvalidClinicalRecord
from service_kit.contracts.clinical import ClinicalVector
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
        content = json.dumps(record, allow_nan=False).encode()
        try:
            body = await self._upstream.call("POST", "/v1/clinical-vectors", stage="clinical", content=content)
        except Refused as refusal:
            raise InvalidClinicalRecord(refusal.detail, errors=refusal.errors) from refusal
        return parsed(body, ClinicalVector, stage="clinical")

    async def models(self) -> tuple[ServedModel, ...]:
        """The models that are served."""
        return listed(await self._upstream.call("GET", "/v1/models", stage="clinical"), "clinical")

    async def ready(self) -> bool:
        """Whether the service can answer."""
        return await self._upstream.ready()
