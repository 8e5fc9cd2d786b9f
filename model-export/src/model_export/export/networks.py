"""Which trained network is behind a published model, and an example of its inputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor, nn

from model_export.architectures.t1 import OutlineHalf, T1Network, TumorHalf
from model_export.architectures.unet import UNet
from model_export.architectures.view import FEATURES, ViewNetwork
from model_export.datasets.brats import SEQUENCES as BRATS_SEQUENCES
from model_export.datasets.clinical import feature_names
from model_export.datasets.lgg import SEQUENCES
from model_export.training.brats3d import build_network
from model_export.training.volume_config import VOLUME_CONFIGS
from model_export.zoo import ZOO


@dataclass(frozen=True, slots=True)
class ServedNetwork:
    """A model's network: `trained` names the checkpoint, `build` its network, `serve` the part that is published.

    `volume`: it reads patches of a volume and presence flags, not pictures.
    """

    trained: str
    build: Callable[[], nn.Module]
    serve: Callable[[nn.Module], nn.Module] = lambda network: network
    channels: int = 1
    vector: int = 0
    volume: bool = False


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
    | {
        name: ServedNetwork(name, partial(build_network, config), channels=len(BRATS_SEQUENCES), volume=True)
        for name, config in VOLUME_CONFIGS.items()
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
    """Random inputs of the types that are served: uint8 pictures and, where wanted, the second float input.

    Of a 3D network: standardized patches of `size` voxels a side, and flags with which one sequence is missing.
    """
    generator, served = torch.Generator().manual_seed(seed), NETWORKS[name]
    if served.volume:
        return _example_patches(served.channels, size, batch, generator)
    coarse = torch.randint(0, 256, (batch, served.channels, 8, 8), generator=generator).float()
    image = nn.functional.interpolate(coarse, size=(size, size), mode="bilinear").round().to(torch.uint8)
    if served.vector:
        return image, torch.rand(batch, served.vector, generator=generator)
    return (image,)


def _example_patches(channels: int, size: int, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    coarse = torch.randn(batch, channels, 6, 6, 6, generator=generator)
    volume = nn.functional.interpolate(coarse, size=(size, size, size), mode="trilinear")
    present = torch.ones(batch, channels)
    present[:, int(torch.randint(0, channels, (1,), generator=generator))] = 0.0
    return volume * present[:, :, None, None, None], present
