"""From a record to the vector, by the fitted imputation and scaling that the clinical model carries."""

import math

import numpy as np

from metadata_service.record import ReadRecord
from metadata_service.words import WORDS, category, is_not_given
from service_kit.contracts.clinical import ClinicalAblation, ClinicalRecord, ClinicalVector
from service_kit.errors import InferenceFailed, ModelInvalid
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.manifest import ClinicalColumn, ModelManifest

_NUMBERS = frozenset({"age", "who_grade"})


class Normalizer:
    """Makes clinical vectors with one clinical model.

    Raises:
        ModelInvalid: a model whose columns are not a record's.
    """

    def __init__(self, backend: InferenceBackend) -> None:
        _check_model(backend.manifest)
        self._backend = backend

    async def normalize(self, read: ReadRecord) -> ClinicalVector:
        """The vector of a record; what is missing, or not known to the model, is imputed and named.

        Raises:
            InferenceFailed, Overloaded, DeadlineExceeded, NotReady: from the engine.
        """
        row, warnings = self._row(read)
        (features,) = await self._features([row])
        return self._vector(row, features, warnings)

    async def ablate(self, read: ReadRecord) -> ClinicalAblation:
        """The vector of a record, of an empty one, and of the record without each of its fields; one run of the model.

        Raises:
            InferenceFailed, Overloaded, DeadlineExceeded, NotReady: from the engine.
        """
        row, warnings = self._row(read)
        columns = self._backend.manifest.clinical_columns
        given = [number for number, value in enumerate(row) if not math.isnan(value)]
        left_out = [[math.nan if at == number else value for at, value in enumerate(row)] for number in given]
        features, empty, *without = await self._features([row, [math.nan] * len(row), *left_out])
        return ClinicalAblation(
            vector=self._vector(row, features, warnings),
            empty=empty,
            without={columns[number].name: found for number, found in zip(given, without, strict=True)},
        )

    def _row(self, read: ReadRecord) -> tuple[list[float], list[str]]:
        """What the model reads, NaN where a field is missing; and the warnings."""
        warnings = list(read.warnings)
        columns = self._backend.manifest.clinical_columns
        return [_value(column, read.record, warnings) for column in columns], warnings

    async def _features(self, rows: list[list[float]]) -> list[dict[str, float]]:
        names = self._backend.manifest.clinical_features
        outputs = await self._backend.infer({"record": np.array(rows, np.float32)})
        vectors = outputs["vector"]
        if vectors.shape != (len(rows), len(names)) or not np.isfinite(vectors).all():
            raise InferenceFailed("the clinical model gave no finite vector", stage="clinical")
        return [dict(zip(names, vector, strict=True)) for vector in vectors.tolist()]

    def _vector(self, row: list[float], features: dict[str, float], warnings: list[str]) -> ClinicalVector:
        columns = self._backend.manifest.clinical_columns
        return ClinicalVector(
            features=features,
            imputed=tuple(column.name for column, value in zip(columns, row, strict=True) if math.isnan(value)),
            warnings=tuple(warnings),
            model=self._backend.ref,
        )


def _value(column: ClinicalColumn, record: ClinicalRecord, warnings: list[str]) -> float:
    """The number that the model reads for the column; NaN where it is missing."""
    sent = getattr(record, column.name)
    if sent is None:
        return math.nan
    return _code(column, sent, warnings) if column.kind == "category" else _clipped(column, float(sent), warnings)


def _code(column: ClinicalColumn, sent: str, warnings: list[str]) -> float:
    found = category(column.name, sent)
    if found in column.codes:
        return float(column.codes[found])
    # Other and unknown are answers of their own for the sex, and no mistake.
    if column.name != "sex" and not is_not_given(sent):
        warnings.append(f"{column.name}: the model was trained on {', '.join(column.codes)} alone; imputed")
    return math.nan


def _clipped(column: ClinicalColumn, value: float, warnings: list[str]) -> float:
    low = -math.inf if column.minimum is None else column.minimum
    high = math.inf if column.maximum is None else column.maximum
    if low <= value <= high:
        return value
    warnings.append(f"{column.name}: outside the trained range of {low:g} to {high:g}; the nearest end is used")
    return min(max(value, low), high)


def _check_model(manifest: ModelManifest) -> None:
    inputs, outputs = {spec.name for spec in manifest.inputs}, {spec.name for spec in manifest.outputs}
    if inputs != {"record"} or "vector" not in outputs or not manifest.clinical_features:
        raise ModelInvalid(f"{manifest.name}: a clinical model reads record and answers vector, with named features")
    width = manifest.inputs[0].shape[-1]
    if width != len(manifest.clinical_columns):
        raise ModelInvalid(f"{manifest.name}: record has {width} columns, {len(manifest.clinical_columns)} are named")
    for column in manifest.clinical_columns:
        known = set(WORDS.get(column.name, {}).values())
        fits = column.name in _NUMBERS if column.kind == "number" else bool(known) and column.codes.keys() <= known
        if not fits:
            raise ModelInvalid(f"{manifest.name}: the column {column.name} is no {column.kind} of a clinical record")
