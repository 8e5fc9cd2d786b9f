"""The clinical model: parity with scikit-learn on every patient, and what it does with missing values."""

from pathlib import Path

import numpy as np

from model_export.datasets.clinical import COLUMNS, empty_record, read_clinical
from model_export.datasets.film_set import film_split
from model_export.datasets.split import Fold
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.results import ClinicalResult
from model_export.training.clinical import clinical_pipeline


def evaluate_clinical(root: Path, models: Path, seed: int) -> ClinicalResult:
    """Every patient's record as it is, with fields hidden at random, and the empty one."""
    model = PublishedModel.open(models, "clinical")
    table, split = read_clinical(root), film_split(root, Fold(None, seed))
    names = sorted(table)
    records = np.array([table[name] for name in names])
    fitted = clinical_pipeline().fit(records[[name in split.train for name in names]])
    hidden = np.where(np.random.default_rng(seed).random(records.shape) < 0.3, np.nan, records)
    tried = np.concatenate([records, hidden, [empty_record()]])
    vectors = model.model.run({"record": tried.astype(np.float32)})["vector"]
    return ClinicalResult(
        records=len(tried),
        largest_difference=float(np.abs(vectors - fitted.transform(tried)).max()),
        lowest=float(vectors.min()),
        highest=float(vectors.max()),
        imputed={column.name: column.imputed for column in model.manifest.clinical_columns},
        missing_share={c.name: float(np.isnan(records[:, i]).mean()) for i, c in enumerate(COLUMNS)},
    )
