"""The layers that the networks of the zoo share. Convolution and batch norm stand side by side, so that they fold."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def conv_norm(
    inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1, activation: Callable[[], nn.Module] | None = None
) -> list[nn.Module]:
    """Convolution (padded to keep the size), batch norm and, where wanted, an activation."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return layers if activation is None else [*layers, activation()]


def relu() -> nn.Module:
    """The activation after a batch norm: in place, since its input is not needed again."""
    return nn.ReLU(inplace=True)


def double_conv(inputs: int, outputs: int) -> nn.Sequential:
    """The U-Net's block: twice convolution, batch norm, ReLU."""
    return nn.Sequential(*conv_norm(inputs, outputs, activation=relu), *conv_norm(outputs, outputs, activation=relu))


def binary_logits(score: Tensor) -> Tensor:
    """One score `[N, 1]` -> two logits `[N, 2]` whose softmax is `(1 - sigmoid(score), sigmoid(score))`."""
    return torch.cat([torch.zeros_like(score), score], dim=1)
