"""Small real networks behind the port of evaluation: rules on pixels whose answers are known by hand."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from model_export.evaluation.predictions import PublishedModel
from service_kit.inference.manifest import ModelManifest, Postprocessing, Training
from service_kit.inference.preprocessing import Preprocessing

Arrays = Mapping[str, NDArray[np.generic]]


class RuleModel:
    """Answers by a rule on its inputs. `runs` counts them; `images` is how many pictures were judged."""

    def __init__(self, rule: Callable[[Arrays], dict[str, NDArray[np.float32]]]) -> None:
        self._rule = rule
        self.images = 0

    def run(self, arrays: Arrays, batch: int = 32) -> dict[str, NDArray[np.float32]]:
        self.images += len(next(iter(arrays.values())))
        return self._rule(arrays)


def published(
    name: str,
    stage: str,
    rule: Callable[[Arrays], dict[str, NDArray[np.float32]]],
    preprocessing: Preprocessing,
    **manifest: object,
) -> PublishedModel:
    """A rule as an opened model."""
    described = ModelManifest.model_validate(
        {
            "name": name,
            "version": "1.0.0",
            "stage": stage,
            "title": name,
            "architecture": "a rule",
            "precision": "fp32",
            "sha256": "0" * 64,
            "inputs": (),
            "outputs": (),
            "preprocessing": preprocessing,
            "postprocessing": Postprocessing() if stage == "segmentation" else None,
            "training": Training(
                command="none", seed=0, config={}, dataset="made", groups_sha256="0" * 64, groups={"train": 0}
            ),
            **manifest,
        }
    )
    return PublishedModel(described, RuleModel(rule))  # type: ignore[arg-type]
