"""The report's chapters on the segmentation models: measured from the out-of-fold planes, shown from the results."""

from model_export.datasets.split import Fold
from model_export.evaluation.asked import asked_first
from model_export.evaluation.cases import check_outside, save_lgg_cases, save_t1_cases
from model_export.evaluation.film import film_evidence
from model_export.evaluation.flair_chapter import flair_section
from model_export.evaluation.ground import ground_lgg, ground_t1
from model_export.evaluation.lgg_patients import PatientDice, arm_dice, evaluate_lgg
from model_export.evaluation.sections import Part, PartMissing, Place
from model_export.evaluation.segmentation import FlairEvaluation, LggSegmentation, T1Segmentation
from model_export.evaluation.segmenters import evaluate_t1
from model_export.evaluation.store import SegmenterPredictions, predictions_path, read_classifier, read_segmenter
from model_export.evaluation.t1_chapter import t1_section
from service_kit.errors import ModelInvalid
from service_kit.inference.manifest import ModelManifest
from service_kit.inference.preprocessing import Preprocessing

_TRAINED_ARMS = {"none": "seg-flair-none", "shuffled": "seg-flair-shuffled"}
_LEAKY = Fold(0, leaky=True)


def measure_t1(place: Place) -> T1Segmentation:
    """From `predictions/seg-t1`, gated by `predictions/tumor` where that has the same slices."""
    if place.cases:
        check_outside(place.cases)
    predictions = read_segmenter(place.cache, "seg-t1")
    preprocessing = preprocessing_of(place, predictions)
    asked = _asked(place, predictions)
    result = evaluate_t1(predictions, place.root, preprocessing, asked=asked, leaky=_leaky(place, "seg-t1"))
    place.report(f"seg-t1: Dice {result.overall.dice.value:.4f} on {result.overall.dice.slices} tumor slices")
    if place.cases:
        save_t1_cases(place.cases, result, predictions, ground_t1(place.root), preprocessing)
    return result


def measure_flair(place: Place) -> FlairEvaluation:
    """From `predictions/seg-flair-film`, and the separately trained arms where they were predicted."""
    if place.cases:
        check_outside(place.cases)
    predictions = read_segmenter(place.cache, "seg-flair-film")
    preprocessing = preprocessing_of(place, predictions)
    result, dices = evaluate_lgg(predictions, place.root, preprocessing, leaky=_leaky(place, "seg-flair-film"))
    place.report(f"seg-flair-film: Dice {result.volume.dice.value:.4f} on {result.volume.dice.groups} patients")
    if place.cases:
        save_lgg_cases(place.cases, result, predictions, ground_lgg(place.root), preprocessing)
    complete = {"full", "none", "shuffled"} <= set(dices)
    film = film_evidence(dices, _trained(place, result, dices["full"])) if complete else None
    if film:
        place.report(f"seg-flair-film: {film.sentence()}")
    return FlairEvaluation(patients=result, film=film)


def preprocessing_of(place: Place, predictions: SegmenterPredictions) -> Preprocessing:
    """The model's own, from the manifest of the fold that predicted.

    Raises:
        PartMissing: the fold's model is gone or does not agree with its manifest.
        ValueError: it reads no picture.
    """
    folder = place.cache / "folds" / str(int(predictions.folds[0])) / predictions.name
    try:
        found = ModelManifest.load(folder).preprocessing
    except ModelInvalid as error:
        raise PartMissing(f"{error.detail}: model-export predict {predictions.name}") from error
    if found is None:
        raise ValueError(f"{predictions.name} reads no picture")
    return found


def _asked(place: Place, predictions: SegmenterPredictions) -> dict[str, bool] | None:
    try:
        asked = asked_first(read_classifier(place.cache, "tumor"))
    except FileNotFoundError:
        return None
    return asked if set(predictions.keys.tolist()) <= set(asked) else None


def _leaky(place: Place, name: str) -> SegmenterPredictions | None:
    if not predictions_path(place.cache, name, _LEAKY).exists():
        return None
    return read_segmenter(place.cache, name, [_LEAKY])


def _trained(place: Place, result: LggSegmentation, full: PatientDice) -> dict[str, PatientDice]:
    """The separately trained arms on their patients, and the default network on the same ones."""
    arms: dict[str, PatientDice] = {}
    for variant, name in _TRAINED_ARMS.items():
        try:
            predictions = read_segmenter(place.cache, name)
        except FileNotFoundError:
            continue
        preprocessing = preprocessing_of(place, predictions)
        # Each network is told what it was trained on: a record would be news to one that never saw any.
        arms[variant] = arm_dice(predictions, place.root, preprocessing, result.cuts, variant)
    if not arms:
        return {}
    judged = set().union(*arms.values())
    return {"full": {patient: value for patient, value in full.items() if patient in judged}, **arms}


PARTS = (
    Part("seg-t1", T1Segmentation, measure_t1, t1_section),
    Part("seg-flair-film", FlairEvaluation, measure_flair, flair_section),
)
