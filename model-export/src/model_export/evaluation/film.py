"""Does the clinical record help the segmentation? Arms compared on the same patients; code says the verdict."""

import numpy as np

from model_export.evaluation.lgg_patients import VARIANT_LABELS, PatientDice, patient_row
from model_export.evaluation.mean_interval import group_mean
from model_export.evaluation.segmentation import FilmDifference, FilmEvidence

_NOTICEABLE = 0.005
_COMPARED = (("full", "none"), ("full", "shuffled"), ("none", "shuffled"), ("full", "flair"))
_RECORD_PAIRS = _COMPARED[:2]
_TRAINED = {
    "full": "trained with true records",
    "shuffled": "trained with shuffled records",
    "none": "trained without records",
}


def film_evidence(dices: dict[str, PatientDice], trained: dict[str, PatientDice] | None = None) -> FilmEvidence:
    """The three arms (and FLAIR alone) of one network, the separately trained arms where there are some, the verdict.

    The record helps only if the true one beats both the empty one and another patient's, each with its paired 95 %
    interval above zero, and no separate training contradicts it (true records not better than none).

    Args:
        dices: each patient's Dice by variant (`full`, `none`, `shuffled`, `flair`), of one network out of fold.
        trained: each patient's Dice by arm (`full`, `none`, `shuffled`), of separate trainings on the same split.

    Raises:
        ValueError: `full`, `none` or `shuffled` is missing: there is no verdict without the three arms.
    """
    if missing := {"full", "none", "shuffled"} - set(dices):
        raise ValueError(f"the FiLM verdict needs the arms {', '.join(sorted(missing))}")
    same = [
        paired_difference(a, b, dices[a], dices[b], VARIANT_LABELS) for a, b in _COMPARED if a in dices and b in dices
    ]
    apart = [
        paired_difference(a, b, trained[a], trained[b], _TRAINED)
        for a, b in _COMPARED
        if trained and a in trained and b in trained
    ]
    against_record = same[: len(_RECORD_PAIRS)]
    helps = all(row.difference.low > 0 for row in against_record)
    contradicted = [row for row in apart if row.first == _TRAINED["full"] and row.difference.value <= 0]
    return FilmEvidence(
        arms=tuple(patient_row(VARIANT_LABELS[name], values) for name, values in dices.items()),
        same_network=tuple(same),
        trained_arms=tuple(patient_row(_TRAINED[name], values) for name, values in (trained or {}).items()),
        trained=tuple(apart),
        verdict="helps" if helps and not contradicted else "does not help",
        default_variant="full" if helps and not contradicted else "none",
        reasons=tuple(_reason(row) for row in [*against_record, *apart]),
    )


def paired_difference(
    first: str, second: str, left: PatientDice, right: PatientDice, labels: dict[str, str]
) -> FilmDifference:
    """Paired over the patients that both arms judged. Raises `ValueError` where they share none."""
    patients = sorted(set(left) & set(right))
    if not patients:
        raise ValueError(f"the arms {first} and {second} share no patient")
    gaps = np.array([left[patient] - right[patient] for patient in patients])
    return FilmDifference(
        first=labels[first],
        second=labels[second],
        difference=group_mean(patients, gaps),
        better=float((gaps > _NOTICEABLE).mean()),
        worse=float((gaps < -_NOTICEABLE).mean()),
    )


def _reason(row: FilmDifference) -> str:
    found = row.difference
    return (
        f"{row.first} against {row.second}: {found.value:+.4f} Dice a patient "
        f"(95 % interval {found.low:+.4f} to {found.high:+.4f}, {found.groups} patients)"
    )
