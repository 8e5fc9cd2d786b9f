"""All parts of the evaluation, in the order of the report."""

import importlib
import importlib.util
from typing import Any

from model_export.evaluation.sections import Part

_MODULES = (
    "classifier_parts",
    "segmentation_parts",
    "brats_parts",
    "band_parts",
    "zoo_parts",
    "robustness_parts",
    "faithfulness_parts",
    "beside_parts",
    "clinical_parts",
    "published_parts",
    "training_parts",
    "literature_parts",
)


def all_parts() -> tuple[Part[Any], ...]:
    """The `PARTS` of every module that is there. Raises `ValueError` where two have the same key."""
    parts: list[Part[Any]] = []
    for name in _MODULES:
        full = f"{__package__}.{name}"
        if importlib.util.find_spec(full) is not None:
            parts += importlib.import_module(full).PARTS
    keys = [part.key for part in parts]
    if len(set(keys)) != len(keys):
        raise ValueError(f"two parts have the same key: {sorted({key for key in keys if keys.count(key) > 1})}")
    return tuple(parts)
