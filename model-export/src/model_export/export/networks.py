"""Which trained network is behind a published model, and an example of its inputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn

from model_export.architectures.t1 import OutlineHalf, T1Network, TumorHalf
from model_export.architectures.unet import UNet
from model_export.architectures.view import FEATURES, ViewNetwork
from model_export.datasets.clinical import feature_names
from model_export.datasets.lgg import SEQUENCES
from model_export.zoo import ZOO


@dataclass(frozen=True, slots=True)
class ServedNetwork:
    """A model's network: `trained` names the checkpoint, `build` its network, `serve` the part that is published."""

    trained: str
    build: Callable[[], nn.Module]
    serve: Callable[[nn.Module], nn.Module] = lambda network: network
    channels: int = 1
    vector: int = 0


def _film() -> nn.Module:
    return UNet(channels=len(SEQUENCES), clinical=len(feature_names()))


def _film_network(name: str) -> ServedNetwork:
    return ServedNetwork(name, _film, channels=len(SEQUENCES), vector=len(feature_names()))


NETWORKS: Mapping[str, ServedNetwork] = MappingProxyType(
    {
        "view": ServedNetwork("view", ViewNetwork),
        "tumor": ServedNetwork("t1", T1Network, TumorHalf, vector=FEATURES),  # type: ignore[arg-type]
        "seg-t1": ServedNetwork("t1", T1Network, OutlineHalf),  # type: ignore[arg-type]
        "seg-flair-film": _film_network("seg-flair-film"),
        "seg-flair-none": _film_network("seg-flair-none"),
        "seg-flair-shuffled": _film_network("seg-flair-shuffled"),
    }
    | {
        entry.name: ServedNetwork(entry.name, entry.build, vector=FEATURES if entry.needs_view_features else 0)
        for entry in ZOO.values()
    }
)
"""By the model's name."""


def trained_network(name: str, state: Mapping[str, Tensor]) -> nn.Module:
    """What is served, with its trained weights, in eval mode.

    Raises:
        KeyError: `name` is not a torch model.
        RuntimeError: the weights do not fit.
    """
    served = NETWORKS[name]
    network = served.build()
    network.load_state_dict(dict(state))
    return served.serve(network).eval()


def example_inputs(name: str, size: int, batch: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Random inputs of the types that are served: uint8 pictures and, where wanted, the second float input."""
    generator, served = torch.Generator().manual_seed(seed), NETWORKS[name]
    coarse = torch.randint(0, 256, (batch, served.channels, 8, 8), generator=generator).float()
    image = nn.functional.interpolate(coarse, size=(size, size), mode="bilinear").round().to(torch.uint8)
    if served.vector:
        return image, torch.rand(batch, served.vector, generator=generator)
    return (image,)
