"""The clinical model: scikit-learn's imputers, scaler and one-hot encoder, fitted on the training patients."""

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer  # type: ignore[import-untyped]
from sklearn.impute import MissingIndicator, SimpleImputer  # type: ignore[import-untyped]
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder  # type: ignore[import-untyped]

from model_export.datasets.clinical import COLUMNS
from service_kit.inference.manifest import ClinicalColumn


def clinical_pipeline() -> ColumnTransformer:
    """The unfitted transformer; its output order is that of `datasets.clinical.feature_names`."""
    steps = []
    for position, column in enumerate(COLUMNS):
        if column.kind == "number":
            step = make_pipeline(SimpleImputer(strategy="mean"), MinMaxScaler(clip=True))
        else:
            codes = [[float(code) for code in column.codes.values()]]
            one_hot = OneHotEncoder(categories=codes, handle_unknown="ignore", sparse_output=False)
            step = make_pipeline(SimpleImputer(strategy="most_frequent"), one_hot)
        steps.append((column.name, step, [position]))
    flags = MissingIndicator(features="all")
    return ColumnTransformer([*steps, ("missing", flags, list(range(len(COLUMNS))))])


def fitted_columns(records: NDArray[np.float64]) -> tuple[ClinicalColumn, ...]:
    """Fit on `records [patients, columns]` (NaN is missing) and return what was learned, for the manifest."""
    fitted = clinical_pipeline().fit(records)
    columns = []
    for column in COLUMNS:
        imputer, scaler = (step for _, step in fitted.named_transformers_[column.name].steps)
        number = column.kind == "number"
        columns.append(
            ClinicalColumn(
                name=column.name,
                kind=column.kind,
                unit=column.unit,
                minimum=float(scaler.data_min_[0]) if number else None,
                maximum=float(scaler.data_max_[0]) if number else None,
                codes=dict(column.codes),
                imputed=float(imputer.statistics_[0]),
            )
        )
    return tuple(columns)


def encode(records: NDArray[np.float64], columns: tuple[ClinicalColumn, ...]) -> NDArray[np.float32]:
    """The vectors `[N, K]` of raw records `[N, columns]`: the same arithmetic as the exported graph."""
    missing = np.isnan(records)
    parts: list[NDArray[np.float64]] = []
    for position, column in enumerate(columns):
        values = np.where(missing[:, position], column.imputed, records[:, position])
        if column.minimum is not None and column.maximum is not None:
            scaled = (values - column.minimum) / (column.maximum - column.minimum)
            parts.append(np.clip(scaled, 0.0, 1.0)[:, None])
        else:
            parts.append((values[:, None] == np.array(list(column.codes.values()), np.float64)).astype(np.float64))
    return np.concatenate([*parts, missing.astype(np.float64)], axis=1).astype(np.float32)
