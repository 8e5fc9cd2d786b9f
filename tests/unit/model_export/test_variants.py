"""Published speed variants belong to the models that lie beside them, and to the measured results."""

import json
from pathlib import Path
from typing import Any

import pytest

from service_kit.inference.repository import ModelRepository

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "docs" / "evaluation" / "variants.json"


@pytest.fixture(scope="module")
def repository() -> ModelRepository:
    return ModelRepository(ROOT / "models")


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    if not RESULTS.exists():
        pytest.skip("no variant was measured yet: `model-export quantize all`")
    return {each["name"]: each for each in json.loads(RESULTS.read_bytes())["variants"]}


def test_published_variants_are_those_that_passed(repository: ModelRepository, results: dict[str, Any]) -> None:
    published = {name for name in repository.names() if repository.manifest(name).precision == "int8"}
    assert published == {name for name, each in results.items() if not each["reasons"]}


def test_variants_are_made_of_the_models_that_lie_here(repository: ModelRepository, results: dict[str, Any]) -> None:
    for name, each in results.items():
        source = repository.manifest(each["variant_of"])
        assert each["source_sha256"] == source.sha256, f"quantize {source.name} again"
        if each["reasons"]:
            continue
        manifest = repository.manifest(name)
        assert manifest.sha256 == each["sha256"]
        assert manifest.variant_of == source.name
        same = {"name", "title", "architecture", "precision", "variant_of", "sha256"}
        assert manifest.model_dump(exclude=same) == source.model_dump(exclude=same), f"quantize {source.name} again"


def test_variants_lose_little_and_pay(results: dict[str, Any]) -> None:
    for each in results.values():
        if not each["reasons"]:
            assert each["held_out"]["loss"]["value"] <= each["held_out"]["limit"] == 0.005
            assert each["races"]["timings"][-1]["ratio"] >= 1.2


def test_cards_carry_loss_and_ratio(repository: ModelRepository, results: dict[str, Any]) -> None:
    for name, each in results.items():
        if not each["reasons"]:
            card = repository.card(name)["metrics"]["variant"]
            assert card["held_out"]["loss"] is not None
            assert card["races"]["timings"][-1]["ratio"] == pytest.approx(
                each["races"]["timings"][-1]["ratio"], rel=1e-3
            )
