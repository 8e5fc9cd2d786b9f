"""Publishing: the weights that all patients trained, with what is fitted on the out-of-fold answers."""

import shutil
from collections.abc import Callable
from pathlib import Path

from model_export.catalog import CATALOG
from model_export.datasets.split import FOLDS, Fold
from model_export.evaluation.calibration import fit_calibration
from model_export.evaluation.ground import ground_lgg, ground_t1
from model_export.evaluation.mask_cut import fit_cut
from model_export.evaluation.predicting import (
    predict_flair_outlines,
    predict_t1_outlines,
    predict_tumors,
    predict_views,
)
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.store import predictions_path, read_classifier, read_segmenter, save_predictions
from model_export.evaluation.volume_predictions import predict_volumes, save_volumes
from model_export.evaluation.window_choice import with_chosen_window
from model_export.novelty_publishing import add_novelty
from model_export.repository import Workplace, write_model
from service_kit.inference.manifest import ModelManifest

Report = Callable[[str], None]
DEFAULT_VIEW = "view"


def predict(name: str, place: Workplace, fold: Fold, report: Report) -> Path:
    """Export a fold's network into the cache and let it answer for the fold's test patients.

    Raises:
        FileNotFoundError: the network (or the view network whose features it reads) was not trained.
        ValueError: the fold leaves nobody to test.
    """
    if fold.index is None:
        raise ValueError("there is nobody to predict for: this network was trained on all patients")
    models, entry = place.cache / "folds" / fold.label.removeprefix("fold-"), CATALOG[name]
    write_model(name, models / name, place, fold)
    model = PublishedModel.open(models, name)
    path = predictions_path(place.cache, name, fold)
    if entry.kind == "volume":
        save_volumes(path, predict_volumes(model, place.root, fold))
    elif entry.stage == "view":
        save_predictions(path, predict_views(model, place.root, place.cache, fold))
    elif entry.stage == "tumor":
        if not (models / DEFAULT_VIEW / "manifest.json").exists():
            write_model(DEFAULT_VIEW, models / DEFAULT_VIEW, place, fold)
        view = PublishedModel.open(models, DEFAULT_VIEW)
        save_predictions(path, predict_tumors(model, view, place.root, place.cache, fold))
    elif entry.reads_record:
        save_predictions(path, predict_flair_outlines(model, place.root, place.cache, fold))
    else:
        save_predictions(path, predict_t1_outlines(model, place.root, place.cache, fold))
    report(f"{name} {fold.label}: {path.name}")
    return path


def publish(name: str, place: Workplace, fold: Fold, report: Report) -> ModelManifest:
    """Write `models/<name>` with the weights of `fold`: export, verify, fit what is fitted, card.

    Raises:
        FileNotFoundError: the network was not trained, or its out-of-fold answers are missing.
        ValueError: the ONNX file does not compute what the network computes.
    """
    folder = place.models / name
    shutil.rmtree(folder, ignore_errors=True)
    manifest = write_model(name, folder, place, fold)
    fitted = _fitted(manifest, place, fold.seed)
    fitted.dump(folder)
    if name == DEFAULT_VIEW:
        fitted = add_novelty(folder, place.root, place.cache, fold)
    report(f"{name}: published, {(folder / fitted.file).stat().st_size / 1e6:.1f} MB")
    return fitted


def _fitted(manifest: ModelManifest, place: Workplace, seed: int) -> ModelManifest:
    """The manifest with temperature and thresholds, the cut or the window, from the out-of-fold answers."""
    folds = [Fold(index, seed) for index in range(FOLDS)]
    if manifest.stage in ("view", "tumor"):
        predictions = read_classifier(place.cache, manifest.name, folds)
        return manifest.model_copy(update={"calibration": fit_calibration(predictions)})
    if manifest.volume is not None:
        sliding = with_chosen_window(manifest.volume, place.cache, manifest.name)
        return manifest.model_copy(update={"volume": sliding})
    if manifest.stage == "segmentation" and manifest.preprocessing is not None:
        outlines, film = read_segmenter(place.cache, manifest.name, folds), bool(manifest.clinical_features)
        ground = ground_lgg(place.root) if film else ground_t1(place.root)
        rule = fit_cut(outlines, ground, manifest.preprocessing, "patient" if film else "slice")
        return manifest.model_copy(update={"postprocessing": rule})
    return manifest
