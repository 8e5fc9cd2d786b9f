"""How a model is quantized. What is written into the card is what ran."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service_kit.contracts.common import StageName


class QuantizationRecipe(BaseModel):
    """Static quantization to 8 bits: weights symmetric and a scale for each channel, activations a scale a tensor.

    Activations are unsigned and weights signed: the pair for which x86 has an instruction (VNNI). `ranges` is how the
    range of an activation follows from the calibration pictures: from the least to the greatest value seen in any, or
    from the mean of their least to the mean of their greatest ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranges: Literal["widest", "mean"] = "widest"
    pictures: Annotated[int, Field(ge=8, description="calibration pictures, of as many groups")] = 128
    float_first: Annotated[bool, Field(description="the convolution that reads the picture stays fp32")] = False
    float_last: Annotated[int, Field(ge=0, description="convolutions before the output that stay fp32")] = 0
    seed: int = 20


RECIPES: dict[StageName, QuantizationRecipe] = {
    "view": QuantizationRecipe(),
    "tumor": QuantizationRecipe(),
    "segmentation": QuantizationRecipe(),
}
"""By stage. Ranges by the mean, or fp32 at either end, were no better on training slices of fold 0, and slower."""
