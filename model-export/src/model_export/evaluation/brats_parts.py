"""The report's part on the 3D networks."""

from model_export.catalog import MODEL_SETS
from model_export.datasets.split import FOLDS, Fold
from model_export.evaluation.brats_chapter import brats_section
from model_export.evaluation.brats_volumes import BratsEvaluation, evaluate_brats
from model_export.evaluation.sections import Part, Place
from model_export.evaluation.volume_predictions import VolumePredictions, read_volume_predictions

_PLAIN, *_OTHERS = MODEL_SETS["volumes"]


def measure_brats(place: Place) -> BratsEvaluation:
    """From `predictions/unet3d`, and those of the other 3D networks where they were predicted.

    Raises:
        FileNotFoundError: the plain network was not predicted yet.
    """
    folds = [Fold(index) for index in range(FOLDS)]
    predicted: dict[str, VolumePredictions] = {_PLAIN: read_volume_predictions(place.cache, _PLAIN, folds)}
    for name in _OTHERS:
        try:
            predicted[name] = read_volume_predictions(place.cache, name, folds)
        except FileNotFoundError as error:
            place.report(f"brats: {error}")
    result = evaluate_brats(place.root, predicted)
    for network in result.networks:
        found = ", ".join(f"{row.region} {row.dice.dice.value:.4f}" for row in network.regions)
        place.report(f"{network.name}: Dice {found} on {network.cases} cases")
    return result


PARTS = (Part("brats", BratsEvaluation, measure_brats, brats_section),)
