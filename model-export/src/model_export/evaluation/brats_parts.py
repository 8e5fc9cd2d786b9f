"""The report's parts on the 3D networks: what they answer, and how the window slides."""

from model_export.catalog import MODEL_SETS
from model_export.datasets.split import FOLDS, Fold
from model_export.evaluation.brats_chapter import brats_section
from model_export.evaluation.brats_volumes import BratsEvaluation, evaluate_brats
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.sections import Part, PartMissing, Place
from model_export.evaluation.store import predictions_path
from model_export.evaluation.volume_predictions import VolumePredictions, read_volume_predictions
from model_export.evaluation.window_chapter import window_section
from model_export.evaluation.window_choice import WindowResult, measure_windows

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


def measure_window(place: Place) -> WindowResult:
    """On the first fold that was predicted, by its own network; the choice is kept for `publish`.

    Raises:
        PartMissing: no fold was predicted yet.
    """
    for index in range(FOLDS):
        if predictions_path(place.cache, _PLAIN, Fold(index)).exists():
            model = PublishedModel.open(place.cache / "folds" / str(index), _PLAIN)
            result = measure_windows(model, place.root, Fold(index))
            result.dump(place.cache)
            return result
    raise PartMissing(f"no predictions of {_PLAIN}: model-export predict {_PLAIN} --fold 0")


PARTS = (
    Part("brats", BratsEvaluation, measure_brats, brats_section),
    Part("brats-window", WindowResult, measure_window, window_section),
)
