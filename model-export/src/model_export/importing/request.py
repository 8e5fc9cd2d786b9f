"""What the importer wants to know of a network besides its files."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service_kit.contracts.common import BINARY_LABELS, TUMOR_LABELS, VIEW_LABELS
from service_kit.inference.preprocessing import Preprocessing

Stage = Literal["view", "tumor", "segmentation"]
Scaling = Literal["0..1", "-1..1", "none", "imagenet", "caffe"]
Ending = Literal["softmax", "sigmoid", "logits"]
Framing = Literal["head", "whole"]

TUMOR = "tumor"
_BACKGROUND = "background"
_KNOWN_LABELS: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "view": (VIEW_LABELS,),
        "tumor": (TUMOR_LABELS, BINARY_LABELS),
        "segmentation": ((TUMOR,), (_BACKGROUND, TUMOR)),
    }
)
_FALLBACK = {"t1ce": "t1", "t1": "t1ce", "flair": "t2", "t2": "flair"}


class ImportRequest(BaseModel):
    """How the network is named, what it answers, and how a picture has to be handed to it.

    `labels` are in the order of the network's outputs; a single sigmoid means the second of two. `sequences` are the
    channels that a segmenter reads: one (repeated where the network has three channels), or one a channel. `framing`
    is `head` where the network saw the head's box as the models trained here, `whole` where it saw whole pictures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    stage: Stage
    labels: tuple[str, ...]
    size: Annotated[int, Field(ge=32, le=512)]
    scaling: Scaling = "0..1"
    channels: Literal[1, 3] = 1
    sequences: tuple[Literal["t1", "t1ce", "t2", "flair"], ...] = ("t1ce",)
    ends_in: Ending | None = None
    features_layer: str | None = None
    features_of: str | None = None
    framing: Framing = "head"
    title: str = ""
    trained_on: str = "not stated by whoever imported it"
    licence: str = "not stated by whoever imported it"
    version: str = "1.0.0"
    command: str

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels: each may be named once")
        known = _KNOWN_LABELS[self.stage]
        if sorted(self.labels) not in [sorted(labels) for labels in known]:
            wanted = ", or ".join(",".join(labels) for labels in known)
            raise ValueError(f"labels: a {self.stage} model answers {wanted} (in the order of the network's outputs)")
        if self.stage != "segmentation" and len(self.sequences) > 1:
            raise ValueError("sequences: a classifier reads one picture")
        if len(self.sequences) not in (1, self.channels):
            raise ValueError(f"sequences: name one, or one for each of the network's {self.channels} channels")
        if self.features_layer and self.stage != "view":
            raise ValueError("features-layer: only a view model gives features")
        if self.features_of and self.stage != "tumor":
            raise ValueError("features-of: only a tumor model reads the features of a view model")
        return self

    @property
    def picture_channels(self) -> int:
        """The channels of the contract's input `image`: one, or one a sequence."""
        return len(self.sequences)

    @property
    def published_labels(self) -> tuple[str, ...]:
        """The labels as the services know them: a mask has one, whatever the network calls the rest."""
        return (TUMOR,) if self.stage == "segmentation" else self.labels

    @property
    def preprocessing(self) -> Preprocessing:
        """How the services make the network's picture."""
        if self.framing == "head":
            return Preprocessing(size=self.size)
        return Preprocessing(size=self.size, crop_head=False, lower_percentile=0.0, upper_percentile=100.0)

    @property
    def fallback(self) -> dict[str, str]:
        """Which sequence may stand for a missing one: for a segmenter of one sequence, the most alike."""
        if self.stage != "segmentation" or len(self.sequences) > 1:
            return {}
        return {self.sequences[0]: _FALLBACK[self.sequences[0]]}


class SourceFiles(BaseModel):
    """Where a network lies: what of it is named depends on the framework."""

    model_config = ConfigDict(frozen=True)

    model: Path | None = None
    architecture: Path | None = None
    weights: Path | None = None
    factory: str | None = None
