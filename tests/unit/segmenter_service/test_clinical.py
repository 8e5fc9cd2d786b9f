import json
from pathlib import Path

import numpy as np
import pytest

from segmenter_service.clinical import clinical_vector, read_features
from service_kit.errors import InvalidRequest
from service_kit.tensors import Envelope
from service_kit.testing import CLINICAL_FEATURES, tiny_model

VALUES = np.array([0.25, 0.5, 0.75], np.float32)


def test_features_are_read_by_name() -> None:
    envelope = Envelope({"clinical": VALUES}, {"clinical_features": json.dumps(["a", "b", "c"])})
    assert read_features(envelope) == {"a": 0.25, "b": 0.5, "c": 0.75}


def test_no_vector_is_none() -> None:
    assert read_features(Envelope({}, {"clinical_features": "[]"})) is None


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (None, "JSON list"),
        ("a,b,c", "JSON list"),
        ('{"a": 1}', "JSON list"),
        ("[1, 2, 3]", "JSON list"),
        ("[" * 100_000, "JSON list"),
        ('["a", "b"]', "clinical must be float32"),
        ('["a", "b", "b"]', "stands twice"),
    ],
)
def test_bad_names_are_refused(names: str | None, words: str) -> None:
    metadata = {} if names is None else {"clinical_features": names}
    with pytest.raises(InvalidRequest, match=words):
        read_features(Envelope({"clinical": VALUES}, metadata))


def test_the_vector_is_in_the_models_order_whatever_the_senders(tmp_path: Path) -> None:
    manifest = tiny_model(tmp_path, "segmentation", clinical=True)
    features = dict(zip(reversed(CLINICAL_FEATURES), (3.0, 2.0, 1.0), strict=True))
    found = clinical_vector(manifest, features)
    assert found.dtype == np.float32
    assert found.tolist() == [1.0, 2.0, 3.0]


def test_without_a_vector_the_models_default_is_read(tmp_path: Path) -> None:
    manifest = tiny_model(tmp_path, "segmentation", clinical=True)
    assert clinical_vector(manifest, None).tolist() == list(manifest.clinical_default)


@pytest.mark.parametrize("names", [CLINICAL_FEATURES[:2], (*CLINICAL_FEATURES, "death"), ("x", "y", "z")])
def test_features_of_another_model_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    manifest = tiny_model(tmp_path, "segmentation", clinical=True)
    with pytest.raises(InvalidRequest, match="reads exactly age, sex, who_grade"):
        clinical_vector(manifest, dict.fromkeys(names, 0.0))
