"""Which network belongs to which name, and an example of its inputs."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from model_export.architectures.tumor import TumorNetwork
from model_export.architectures.unet import UNet
from model_export.architectures.view import FEATURES, ViewNetwork
from model_export.datasets.clinical import feature_names
from model_export.datasets.lgg import SEQUENCES


def build_network(name: str) -> nn.Module:
    """An untrained network. Raises `KeyError` for a name that is not a torch model."""
    if name == "view":
        return ViewNetwork()
    if name == "tumor":
        return TumorNetwork()
    if name == "seg-t1":
        return UNet()
    if name == "seg-flair-film":
        return UNet(channels=len(SEQUENCES), clinical=len(feature_names()))
    raise KeyError(name)


def trained_network(name: str, state: Mapping[str, Tensor]) -> nn.Module:
    """The network with its trained weights, in eval mode. Raises `RuntimeError` where they do not fit."""
    network = build_network(name)
    network.load_state_dict(dict(state))
    return network.eval()


def example_inputs(name: str, size: int, batch: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Random inputs of the types that are served: uint8 pictures and, where wanted, the second float input."""
    generator = torch.Generator().manual_seed(seed)
    channels = len(SEQUENCES) if name == "seg-flair-film" else 1
    coarse = torch.randint(0, 256, (batch, channels, 8, 8), generator=generator).float()
    image = nn.functional.interpolate(coarse, size=(size, size), mode="bilinear").round().to(torch.uint8)
    if name == "tumor":
        return image, torch.rand(batch, FEATURES, generator=generator) * 3.0
    if name == "seg-flair-film":
        return image, torch.rand(batch, len(feature_names()), generator=generator)
    return (image,)
