"""The clinical graph against scikit-learn, on generated records."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model_export.datasets.clinical import COLUMNS, empty_record, feature_names
from model_export.engine import OnnxModel
from model_export.export.clinical_graph import clinical_graph
from model_export.export.onnx_graph import write_graph
from model_export.training.clinical import clinical_pipeline, encode, fitted_columns


def _records(count: int, seed: int) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    columns = [
        random.choice(sorted(c.codes.values()), count).astype(float) if c.codes else random.uniform(2, 80, count)
        for c in COLUMNS
    ]
    records = np.stack(columns, axis=1)
    return np.where(random.random(records.shape) < 0.2, np.nan, records)


def test_graph_formula_and_scikit_learn_agree(tmp_path: Path) -> None:
    training, tried = _records(60, 1), np.concatenate([_records(40, 2), [empty_record()]])
    columns = fitted_columns(training)
    expected = clinical_pipeline().fit(training).transform(tried)
    path = tmp_path / "model.onnx"
    write_graph(clinical_graph(columns), path)
    found = OnnxModel(path).run({"record": tried.astype(np.float32)}, batch=7)["vector"]
    assert found.shape == (41, len(feature_names()))
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(encode(tried, columns) - expected).max() < 1e-5
    assert found.min() >= 0.0
    assert found.max() <= 1.0


def test_out_of_range_is_clipped_and_an_unknown_code_is_all_zero(tmp_path: Path) -> None:
    columns = fitted_columns(_records(60, 1))
    names = feature_names()
    record = np.array([empty_record()])
    record[0, 0], record[0, 1] = 500.0, 99.0
    path = tmp_path / "model.onnx"
    write_graph(clinical_graph(columns), path)
    vector = dict(zip(names, OnnxModel(path).run({"record": record.astype(np.float32)})["vector"][0], strict=True))
    assert vector["age"] == pytest.approx(1.0)
    assert vector["gender_female"] == vector["gender_male"] == 0.0
    assert vector["age_missing"] == vector["gender_missing"] == 0.0
    assert vector["race_missing"] == 1.0
