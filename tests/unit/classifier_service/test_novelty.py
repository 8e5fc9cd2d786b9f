"""The view answer carries the picture's novelty and the model's limits, where the model measures it."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from classifier_service.view import ViewClassifier
from service_kit.errors import InferenceFailed
from service_kit.inference.manifest import ModelManifest, Novelty
from service_kit.inference.served import StageModels
from service_kit.testing import FakeBackend, tiny_model

LIMITS = Novelty(review_above=0.4, refuse_above=0.6, fitted_on="none")


async def classified(manifest: ModelManifest, picture: NDArray[np.uint8], novelty: NDArray[np.float32] | None):  # type: ignore[no-untyped-def]
    outputs = {"logits": np.zeros((1, 3), np.float32), "features": np.zeros((1, 128), np.float32)}
    if novelty is not None:
        outputs["novelty"] = novelty
    backend = FakeBackend(manifest, lambda _: outputs)
    return (await ViewClassifier(StageModels("view", [backend])).classify(picture)).result


async def test_value_and_limits_are_in_the_answer(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    result = await classified(tiny_model(tmp_path, "view", novelty=LIMITS), picture, np.array([[0.5]], np.float32))
    assert result.novelty is not None
    assert result.novelty.model_dump() == {"value": 0.5, "review_above": 0.4, "refuse_above": 0.6}


async def test_a_model_without_the_output_has_none(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    assert (await classified(tiny_model(tmp_path, "view"), picture, None)).novelty is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
async def test_a_novelty_that_is_no_number_fails(tmp_path: Path, picture: NDArray[np.uint8], value: float) -> None:
    manifest = tiny_model(tmp_path, "view", novelty=LIMITS)
    with pytest.raises(InferenceFailed, match="finite novelty"):
        await classified(manifest, picture, np.array([[value]], np.float32))


def test_the_manifest_refuses_limits_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="refuse_above must not be below"):
        Novelty(review_above=2.0, refuse_above=1.0, fitted_on="none")
    manifest = tiny_model(tmp_path, "view")
    with pytest.raises(ValidationError, match="no output novelty"):
        ModelManifest.model_validate({**manifest.model_dump(), "novelty": LIMITS.model_dump()})
