"""What `GET /v1/models` of each service answers: the models served, and what they really run on."""

from service_kit.contracts.common import Contract, ModelRef


class TensorDescription(Contract):
    """One input or output; -1 stands for a dimension that may vary (the batch)."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class ServedModel(Contract):
    """One model. `requested_provider` is what the settings ask for, `ref.provider` what is in use."""

    ref: ModelRef
    requested_provider: str
    title: str
    labels: tuple[str, ...]
    sequences: tuple[str, ...]
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]


class ServedModels(Contract):
    """Answer of `GET /v1/models`; the first model of a stage is the one used when none is named."""

    models: tuple[ServedModel, ...]
