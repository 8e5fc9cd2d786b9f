"""A published model's boundary band: fitted from its out-of-fold outlines, written into its manifest."""

from pathlib import Path

from model_export.datasets.split import FOLDS, Fold
from model_export.evaluation.band_result import BandResult
from model_export.evaluation.boundary_band import COVERAGE, fit_band
from model_export.evaluation.outline_sources import outline_pairs
from service_kit.contracts.segmentation import BoundaryBand
from service_kit.inference.manifest import ModelManifest, Postprocessing


def fitted_band(
    name: str, root: Path, cache: Path, models: Path, *, coverage: float | None = None, threads: int = 2
) -> BandResult:
    """Fit and judge the band of a model.

    Args:
        name: one of `outline_sources.banded_models`.
        root: the development sets.
        cache: predictions and the folds' networks.
        models: the model repository; the published model says how its probabilities are cut.
        coverage: None: that of the band which is published, else .9.
        threads: CPU threads of a network.

    Raises:
        FileNotFoundError: no fold was predicted, or a set is absent.
        TooFewPatients: for this coverage.
        ValueError: there are no volumes to judge this model on.
    """
    published = ModelManifest.load(models / name) if (models / name / "manifest.json").exists() else None
    rule = (published and published.postprocessing) or Postprocessing()
    pairs = outline_pairs(name, root, cache, [Fold(index) for index in range(FOLDS)], rule, threads)
    former = published.band.coverage if published and published.band else COVERAGE
    return fit_band(name, pairs, coverage or former)


def write_band(models: Path, name: str, band: BoundaryBand) -> list[str]:
    """Put the band into the manifests of the model and of its variants; the names of those that were written.

    A variant was published because its masks are the model's. Raises `ModelInvalid` where a model and its file do not
    agree.
    """
    written = []
    for path in sorted(models.glob("*/manifest.json")):
        manifest = ModelManifest.load(path.parent)
        if name in (manifest.name, manifest.variant_of):
            manifest.model_copy(update={"band": band}).dump(path.parent)
            written.append(manifest.name)
    return written
