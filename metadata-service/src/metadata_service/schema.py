"""What the service accepts, for people and for forms: `GET /v1/clinical-schema`."""

from typing import Literal

from metadata_service.fields import ALIASES, REFUSED
from metadata_service.words import WORDS
from service_kit.contracts.common import Contract, ModelRef
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.manifest import ClinicalColumn


class ClinicalField(Contract):
    """One field of a record.

    `categories` are the model's own; `accepted` are all words that are understood, of which those outside the
    categories are imputed. `trained_minimum` to `trained_maximum` is what the model saw: beyond it, a value is clipped.
    """

    name: str
    aliases: tuple[str, ...]
    kind: Literal["number", "category", "date"]
    unit: str | None
    categories: tuple[str, ...]
    accepted: tuple[str, ...]
    trained_minimum: float | None
    trained_maximum: float | None
    read_by_model: bool


class RefusedFields(Contract):
    """Fields that are refused, and why."""

    names: tuple[str, ...]
    reason: str


class ClinicalSchema(Contract):
    """Everything that a record may hold, and what it must not."""

    fields: tuple[ClinicalField, ...]
    refused: tuple[RefusedFields, ...]
    model: ModelRef


def describe_schema(backend: InferenceBackend) -> ClinicalSchema:
    """The schema as the clinical model at hand makes it."""
    columns = {column.name: column for column in backend.manifest.clinical_columns}
    return ClinicalSchema(
        fields=tuple(_describe(name, aliases, columns.get(name)) for name, aliases in ALIASES.items()),
        refused=tuple(RefusedFields(names=names, reason=reason) for reason, names in REFUSED.items()),
        model=backend.ref,
    )


def _describe(name: str, aliases: tuple[str, ...], column: ClinicalColumn | None) -> ClinicalField:
    if name.endswith("_date"):
        kind: Literal["number", "category", "date"] = "date"
    else:
        kind = "category" if name in WORDS else "number"
    return ClinicalField(
        name=name,
        aliases=aliases,
        kind=kind,
        unit=column.unit if column else None,
        categories=tuple(column.codes) if column else (),
        accepted=tuple(WORDS.get(name, ())),
        trained_minimum=column.minimum if column else None,
        trained_maximum=column.maximum if column else None,
        read_by_model=column is not None,
    )
