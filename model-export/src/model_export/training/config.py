"""How each network is trained. Frozen: what is written into the checkpoint is what ran."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_SEED = 20
TrainableName = Literal["view", "tumor", "seg-t1", "seg-flair-film"]


class TrainingConfig(BaseModel):
    """One training run. `split` is `group` for all that is published.

    A `study` is one arm of the leakage study (`group` or `slice`), never published.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: TrainableName
    size: Annotated[int, Field(ge=64, le=512, multiple_of=32)]
    epochs: Annotated[int, Field(ge=1)]
    batch: Annotated[int, Field(ge=2)] = 32
    rate: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    warmup: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.995
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.05
    limit: Annotated[int, Field(ge=0, description="slices an epoch; 0: all")] = 0
    split: Literal["group", "slice"] = "group"
    study: bool = False
    seed: int = DEFAULT_SEED

    def with_overrides(self, **changes: object) -> Self:
        """The same run with the given fields changed (None leaves a field) and checked again."""
        wanted = {key: value for key, value in changes.items() if value is not None}
        return type(self).model_validate({**self.model_dump(), **wanted})


CONFIGS: dict[str, TrainingConfig] = {
    "view": TrainingConfig(name="view", size=128, epochs=7, batch=48, rate=1.2e-3),
    "tumor": TrainingConfig(name="tumor", size=160, epochs=10, batch=32, rate=1e-3),
    "seg-t1": TrainingConfig(name="seg-t1", size=192, epochs=13, batch=24, rate=1.5e-3),
    "seg-flair-film": TrainingConfig(name="seg-flair-film", size=192, epochs=12, batch=24, rate=1.5e-3),
}
STUDY = CONFIGS["tumor"].with_overrides(size=96, epochs=4, study=True)
"""The recipe of both arms of the leakage study: the tumor network, smaller pictures, fewer epochs."""
