"""Evaluation of everything that is published; the figures go into the cards too."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from model_export.card import ModelCard
from model_export.catalog import CATALOG
from model_export.evaluation.classifiers import evaluate_tumor, evaluate_view
from model_export.evaluation.clinical import evaluate_clinical
from model_export.evaluation.results import EvaluationResults
from model_export.evaluation.segmenters import evaluate_seg_film, evaluate_seg_t1
from model_export.repository import PROTOCOL, clinical_columns, split_of
from service_kit.inference.manifest import ModelManifest

_FIELDS = {"seg-t1": "seg_t1", "seg-flair-film": "seg_flair_film"}


def evaluate_models(
    root: Path, cache: Path, models: Path, report: Callable[[str], None], threads: int = 2
) -> EvaluationResults:
    """Judge every model that is under `models`.

    Raises:
        ValueError: a manifest names other groups than the split under `root` gives: its figures would not be honest.
    """
    torch.set_num_threads(threads)
    manifests = {
        name: ModelManifest.load(models / name) for name in CATALOG if (models / name / "manifest.json").exists()
    }
    runs: dict[str, Callable[[int], Any]] = {
        "view": lambda seed: evaluate_view(root, models, seed),
        "tumor": lambda seed: evaluate_tumor(root, models, seed, cache),
        "seg-t1": lambda seed: evaluate_seg_t1(root, models, seed),
        "seg-flair-film": lambda seed: evaluate_seg_film(root, models, seed, clinical_columns(root, seed)),
        "clinical": lambda seed: evaluate_clinical(root, models, seed),
    }
    found: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    for name, manifest in manifests.items():
        if split_of(name, root, manifest.training.seed).sha256() != manifest.training.groups_sha256:
            raise ValueError(f"{name}: trained on other groups than this split")
        started = time.monotonic()
        found[_FIELDS.get(name, name)] = runs[name](manifest.training.seed)
        seconds[name] = round(time.monotonic() - started, 1)
        report(f"{name}: judged in {seconds[name]} s")
        _into_card(models / name, found[_FIELDS.get(name, name)])
    return EvaluationResults(
        seed=next(iter(manifests.values())).training.seed,
        protocol=PROTOCOL,
        sha256={name: manifest.sha256 for name, manifest in manifests.items()},
        groups_sha256={name: manifest.training.groups_sha256 for name, manifest in manifests.items()},
        seconds=seconds,
        **found,
    )


def _into_card(folder: Path, result: Any) -> None:
    figures = _without_values(result.model_dump(mode="json"))
    leaky = figures.pop("leaky", None)
    ModelCard.load(folder).model_copy(update={"metrics": figures, "leaky": leaky, "protocol": PROTOCOL}).dump(folder)


def _without_values(figures: Any) -> Any:
    if isinstance(figures, dict):
        return {key: _without_values(value) for key, value in figures.items() if key != "values"}
    if isinstance(figures, list):
        return [_without_values(value) for value in figures]
    if isinstance(figures, float):
        return round(figures, 5)
    return figures
