"""The clinical model: parity with scikit-learn on every patient, and what it does with missing values."""

import numpy as np
from pydantic import BaseModel, ConfigDict

from model_export.datasets.clinical import COLUMNS, empty_record, read_clinical
from model_export.datasets.film_set import film_split
from model_export.datasets.split import Fold
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.sections import CardFigures, Part, PartMissing, Place, Section, Table
from model_export.training.clinical import clinical_pipeline
from service_kit.errors import ModelInvalid


class ClinicalResult(BaseModel):
    """What comes out for every patient, known or hidden."""

    model_config = ConfigDict(frozen=True)

    records: int
    largest_difference: float
    lowest: float
    highest: float
    imputed: dict[str, float]
    missing_share: dict[str, float]


def measure_clinical(place: Place) -> ClinicalResult:
    """Every patient's record as it is, the same with fields hidden at random, and the empty one.

    Raises:
        PartMissing: the model is not published.
    """
    try:
        model = PublishedModel.open(place.models, "clinical")
    except ModelInvalid as error:
        raise PartMissing(f"{error}: model-export publish clinical") from error
    fold = Fold(None, model.manifest.training.seed)
    table, split = read_clinical(place.root), film_split(place.root, fold)
    names = sorted(table)
    records = np.array([table[name] for name in names])
    fitted = clinical_pipeline().fit(records[[name in split.train for name in names]])
    hidden = np.where(np.random.default_rng(fold.seed).random(records.shape) < 0.3, np.nan, records)
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


def render_clinical(result: ClinicalResult) -> Section:
    """A paragraph and a table."""
    return Section(
        title="Clinical record to vector",
        intro=(
            f"{result.records} records (every patient's own, the same with 30 % of the fields hidden, the empty one): "
            f"the largest difference from scikit-learn is {result.largest_difference:.1e}; every value lies in "
            f"{result.lowest:.0f} to {result.highest:.0f}. A missing value is imputed and its flag is set.",
        ),
        tables=(
            Table(
                ("field", "missing in the set", "a missing value becomes"),
                tuple((name, share, f"{result.imputed[name]:.4g}") for name, share in result.missing_share.items()),
            ),
        ),
        cards={"clinical": CardFigures(summary={"largest difference from scikit-learn": result.largest_difference})},
    )


PARTS = (Part(key="clinical", result=ClinicalResult, measure=measure_clinical, render=render_clinical),)
