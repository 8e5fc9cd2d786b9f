"""The numbers that the verdict rests on. Those that are statistical are fitted, by `model-export judge-limits`."""

from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from service_kit.contracts.classification import ViewLabel
from service_kit.inference.region import Region


class FittedLimits(BaseModel):
    """`fitted.json`: what the command works out from the development data; it is written by nobody else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_share_without_tumor: Annotated[float, Field(ge=0, le=1)]
    min_heat_share: Annotated[float, Field(ge=0, le=1)]
    sella: dict[ViewLabel, Region]


_FITTED = FittedLimits.model_validate_json((resources.files(__package__) / "fitted.json").read_bytes())


class JudgeLimits(BaseModel):
    """When an answer may stand by itself. docs/verdict.md gives the reason for each number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_probability: Annotated[
        float, Field(ge=0, le=1, description="A label less probable than this is for review: low_confidence.")
    ] = 0.8
    min_view_probability: Annotated[
        float, Field(ge=0, le=1, description="A plane less probable than this is for review: uncertain_view.")
    ] = 0.8
    unknown_view_probability: Annotated[
        float, Field(ge=0, le=1, description="A plane less probable than this is none: refused, unknown_view.")
    ] = 0.5
    max_share_without_tumor: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Share of the head that may be outlined beside `no_tumor`: mask_without_tumor. Fitted.",
        ),
    ] = _FITTED.max_share_without_tumor
    max_mm2_without_tumor: Annotated[
        float,
        Field(
            ge=0, description="The same in square millimeters; it takes the share's place where the spacing is known."
        ),
    ] = 100.0
    min_heat_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Share of the heat that must lie on the outline or next to it: heat_off_mask. Fitted.",
        ),
    ] = _FITTED.min_heat_share
    sella: Annotated[
        dict[ViewLabel, Region],
        Field(description="Where a pituitary tumor lies, in shares of the head's box: pituitary_off_sella. Fitted."),
    ] = _FITTED.sella
