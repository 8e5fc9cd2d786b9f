"""How each network is trained. Frozen: what is written into the checkpoint is what ran."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from model_export.datasets.split import DEFAULT_SEED, FOLDS, Fold

RecordArm = Literal["true", "none", "shuffled"]


class TrainingConfig(BaseModel):
    """One training run.

    The first `small_epochs` epochs run at `small_size`, the others at `size`, at which the network is served: most of
    what there is to learn is learned on small pictures, at less than half the cost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size: Annotated[int, Field(ge=64, le=512, multiple_of=32)]
    epochs: Annotated[int, Field(ge=1, description="all epochs, the small ones included")]
    small_size: Annotated[int, Field(ge=64, le=512, multiple_of=32)] = 96
    small_epochs: Annotated[int, Field(ge=0)] = 0
    batch: Annotated[int, Field(ge=2)] = 32
    rate: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    warmup: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.995
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.05
    limit: Annotated[int, Field(ge=0, description="slices an epoch; 0: all")] = 0
    patience: Annotated[
        int, Field(ge=0, description="epochs without a better validation score before stopping; 0: a fixed schedule")
    ] = 0
    turned_share: Annotated[float, Field(ge=0, le=1, description="of the pictures, turned by quarters")] = 1.0
    record: Annotated[RecordArm, Field(description="which clinical record a FiLM network is trained on")] = "true"
    fold: Annotated[int | None, Field(ge=0, lt=FOLDS, description="the part left for testing; none: all train")] = 0
    leaky: Annotated[bool, Field(description="single slices are dealt in place of patients")] = False
    seed: int = DEFAULT_SEED

    @model_validator(mode="after")
    def _small_epochs_end(self) -> Self:
        if self.small_epochs >= self.epochs:
            raise ValueError("the last epoch runs at full size: small_epochs must be below epochs")
        return self

    @property
    def unit(self) -> str:
        """What a batch is made of, as progress is told."""
        return "slices"

    @property
    def of_fold(self) -> Fold:
        """The fold that this run trains for."""
        return Fold(self.fold, self.seed, self.leaky)

    def size_at(self, epoch: int) -> int:
        """The side of the pictures in px in an epoch, counted from 0."""
        return self.small_size if epoch < self.small_epochs else self.size

    def with_overrides(self, **changes: object) -> Self:
        """The same run with the given fields changed (None leaves a field) and checked again."""
        wanted = {key: value for key, value in changes.items() if value is not None}
        return type(self).model_validate({**self.model_dump(), **wanted})

    def for_fold(self, fold: Fold) -> Self:
        """The same recipe for another fold."""
        changes = {"fold": fold.index, "seed": fold.seed, "leaky": fold.leaky}
        return type(self).model_validate({**self.model_dump(), **changes})


_FILM = TrainingConfig(
    name="seg-flair-film",
    size=192,
    epochs=14,
    small_size=128,
    small_epochs=9,
    batch=24,
    rate=1.5e-3,
    ema_decay=0.99,
    turned_share=0.2,
)
CONFIGS: dict[str, TrainingConfig] = {
    config.name: config
    for config in (
        TrainingConfig(
            name="view",
            size=96,
            epochs=8,
            small_size=64,
            small_epochs=3,
            batch=32,
            rate=1.2e-3,
            ema_decay=0.99,
            limit=4000,
        ),
        TrainingConfig(
            name="t1",
            size=160,
            epochs=14,
            small_size=128,
            small_epochs=8,
            batch=24,
            rate=1.5e-3,
            ema_decay=0.99,
            turned_share=0.3,
        ),
        _FILM,
        _FILM.with_overrides(name="seg-flair-none", record="none"),
        _FILM.with_overrides(name="seg-flair-shuffled", record="shuffled"),
    )
}
"""The recipes of the default networks and of FiLM's control arms; the zoo's are in `training.zoo`."""
