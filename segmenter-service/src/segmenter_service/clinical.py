"""The clinical vector beside the pictures: by name on the wire, in the model's order for the model."""

import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from service_kit.errors import InvalidRequest
from service_kit.inference.manifest import ModelManifest
from service_kit.inference.pixels import take_vector
from service_kit.tensors import Envelope

ARRAY = "clinical"
NAMES = "clinical_features"

ClinicalFeatures = Mapping[str, float]


def read_features(envelope: Envelope) -> ClinicalFeatures | None:
    """Array `clinical [K]` with its names from the metadata, or None where no vector was sent.

    Raises:
        InvalidRequest: names are missing, doubled or no list of names, or there is not one value for each.
    """
    if ARRAY not in envelope.arrays:
        return None
    advice = f"the metadata {NAMES} must be a JSON list with one name for each value of {ARRAY}"
    try:
        names = json.loads(envelope.metadata.get(NAMES, ""))
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(advice) from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidRequest(advice)
    if len(set(names)) != len(names):
        raise InvalidRequest(f"a name stands twice in {NAMES}")
    return dict(zip(names, take_vector(envelope, ARRAY, len(names)).tolist(), strict=True))


def clinical_vector(manifest: ModelManifest, features: ClinicalFeatures | None) -> NDArray[np.float32]:
    """The model's input `[K]`: the features in its order, or what stands for an empty record.

    Raises:
        InvalidRequest: the features are not the ones that the model was trained on.
    """
    if features is None:
        return np.array(manifest.clinical_default, np.float32)
    if features.keys() != set(manifest.clinical_features):
        expected = ", ".join(manifest.clinical_features)
        raise InvalidRequest(f"{NAMES}: the model {manifest.name} reads exactly {expected}")
    return np.array([features[name] for name in manifest.clinical_features], np.float32)
