"""What `GET /v1/models` of each service answers: the models served, and what they really run on."""

from typing import Literal

from service_kit.contracts.common import Contract, ModelRef

Reads = Literal["slices", "volumes"]


class TensorDescription(Contract):
    """One input or output; -1 stands for a dimension that may vary (the batch)."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class ServedModel(Contract):
    """One model. `requested_provider` is what the manifest or the settings ask for, `ref.provider` what is in use.

    A `default` model is used where a request names none, and is in memory from the start; another one is opened when
    it is asked for, and until then, or when it had to make room, `loaded` is False and `ref.provider` "not loaded".
    It `reads` slices, one by one, or whole volumes. `fallback` says which sequence stands in for one that is missing,
    `features_of` which view model's features a tumor model reads, `variant_of` which model this one was made of.
    """

    ref: ModelRef
    requested_provider: str
    title: str
    labels: tuple[str, ...]
    sequences: tuple[str, ...]
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]
    fallback: dict[str, str]
    features_of: str | None = None
    variant_of: str | None = None
    reads: Reads = "slices"
    default: bool = True
    loaded: bool = True


class ServedModels(Contract):
    """Answer of `GET /v1/models`; a stage's defaults come first, in the order in which they are chosen from."""

    models: tuple[ServedModel, ...]
