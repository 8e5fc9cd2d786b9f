"""Made predictions: small ones that can be checked by hand, and grouped ones whose coverage can be tested."""

import numpy as np

from model_export.evaluation.store import ClassifierPredictions

TUMORS = ("glioma", "meningioma", "no_tumor", "pituitary")


def answered(
    rows: list[tuple[str, str, int]],
    labels: tuple[str, ...] = TUMORS,
    *,
    sources: list[str] | None = None,
    groups: list[str] | None = None,
    main: list[bool] | None = None,
) -> ClassifierPredictions:
    """Sure answers: (true label, answered label, fold) of each slice; each its own group."""
    count = len(rows)
    logits = np.zeros((count, len(labels)), np.float32)
    logits[np.arange(count), [labels.index(given) for _, given, _ in rows]] = 3.0
    return ClassifierPredictions(
        name="tumor",
        labels=labels,
        keys=np.array([f"slice-{i}" for i in range(count)]),
        groups=np.array(groups or [f"group-{i}" for i in range(count)]),
        sources=np.array(sources or ["cheng"] * count),
        views=np.array([("axial", "")[i % 2] for i in range(count)]),
        main=np.array(main or [True] * count),
        folds=np.array([fold for _, _, fold in rows]),
        truth=np.array([labels.index(true) for true, _, _ in rows]),
        logits=logits,
    )


def grouped(
    labels: tuple[str, ...] = TUMORS, *, groups: int = 1000, folds: int = 5, seed: int = 0, scale: float = 2.0
) -> ClassifierPredictions:
    """Slices of patients that are alike (a patient's slices err together), a tenth of them of another set."""
    random, classes = np.random.default_rng(seed), len(labels)
    sizes = random.geometric(0.35, groups)
    of_group = np.repeat(np.arange(groups), sizes)
    truth, fold = random.integers(0, classes, groups)[of_group], (np.arange(groups) % folds)[of_group]
    shared = random.normal(0, 1.5, (groups, classes))[of_group]
    logits = shared + random.normal(0, 1, shared.shape) + 4 * np.eye(classes)[truth]
    main = random.random(len(truth)) < 0.9
    return ClassifierPredictions(
        name="tumor",
        labels=labels,
        keys=np.array([f"slice-{i}" for i in range(len(truth))]),
        groups=np.array([f"patient-{g}" for g in of_group]),
        sources=np.where(main, np.array(["cheng", "brisc"])[of_group % 2], "lgg"),
        views=np.array(["axial", "coronal", "sagittal"])[of_group % 3],
        main=main,
        folds=fold,
        truth=truth,
        logits=(logits * scale).astype(np.float32),
    )
