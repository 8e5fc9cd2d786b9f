"""What `model-export reproduce` measures, as it is kept and shown."""

from pydantic import BaseModel, ConfigDict

from model_export.evaluation.bootstrap import Estimate


class Reproduction(BaseModel):
    """The accuracy of a classifier on the first fold, published and trained again with the same seed."""

    model_config = ConfigDict(frozen=True)

    name: str
    seed: int
    published: Estimate
    again: Estimate
    largest_weight_difference: float
    reproduced: bool
