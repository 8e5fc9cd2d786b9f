"""All pages of docs/models as text, by file name."""

import json
from pathlib import Path

from model_export.card import ModelCard
from model_export.evaluation.zoo import ZooResult
from model_export.pages.index_page import index_page
from model_export.pages.model_page import model_page
from service_kit.inference.manifest import ModelManifest

INDEX = "README.md"


def model_pages(models: Path, results: Path) -> dict[str, str]:
    """The pages of every model under `models`; the zoo's table from `results` where `evaluate` wrote one.

    Raises:
        ModelInvalid: a manifest and its model file do not agree.
    """
    published = []
    for path in sorted(models.glob("*/manifest.json")):
        manifest = ModelManifest.load(path.parent)
        card = ModelCard.load(path.parent) if (path.parent / "card.json").exists() else None
        published.append((manifest, card))
    pages = {f"{manifest.name}.md": model_page(manifest, card) for manifest, card in published}
    chart = results.with_name("zoo.svg").exists()
    return {INDEX: index_page(published, _zoo(results), chart), **pages}


def _zoo(results: Path) -> ZooResult | None:
    if not results.exists():
        return None
    zoo = json.loads(results.read_bytes()).get("parts", {}).get("zoo")
    return None if zoo is None else ZooResult.model_validate(zoo["table"])
