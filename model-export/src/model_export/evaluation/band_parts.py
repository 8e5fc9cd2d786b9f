"""The report's part on boundary bands."""

from model_export.evaluation.band_chapter import band_section
from model_export.evaluation.band_fitting import fitted_band
from model_export.evaluation.band_result import BandsEvaluation
from model_export.evaluation.conformal import TooFewPatients
from model_export.evaluation.outline_sources import banded_models
from model_export.evaluation.sections import Part, PartMissing, Place


def measure_bands(place: Place) -> BandsEvaluation:
    """Of every model whose volumes can be judged, with the coverage of its published band.

    Raises:
        PartMissing: no such model has answers out of fold.
    """
    found = []
    for name in banded_models():
        try:
            found.append(fitted_band(name, place.root, place.cache, place.models))
        except (FileNotFoundError, TooFewPatients) as error:
            place.report(f"bands: {error}")
    if not found:
        raise PartMissing("no answers of a network for volumes: model-export predict, then model-export bands")
    return BandsEvaluation(models=tuple(found))


PARTS = (Part("bands", BandsEvaluation, measure_bands, band_section),)
