"""What a comparison of two engines found."""

from pydantic import BaseModel, ConfigDict


class Parity(BaseModel):
    """What was compared and how far apart it was. Probabilities for classifiers, masks too for segmentation."""

    model_config = ConfigDict(frozen=True)

    batches: tuple[int, ...]
    max_probability_difference: float
    max_output_difference: float
    mask_dice: float | None = None
    passed: bool
