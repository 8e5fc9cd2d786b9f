"""MobileNetV2 1.0 with TensorFlow's SAME padding, under torchvision's key names, so that the ImageNet start fits."""

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

# (expansion, channels, blocks, stride of the first block)
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
HEAD_CHANNELS = 1280
SKIP_CHANNELS = (16, 24, 32, 96, 320)
"""Channels of the feature maps at strides 2, 4, 8, 16 and 32."""
_SKIP_LAYERS = (1, 3, 6, 13, 17)


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME does on even sizes: stride 2 pads below and to the right only."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, dilation: int = 1, groups: int = 1
    ) -> None:
        symmetric = dilation * (kernel // 2) if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, symmetric, dilation=dilation, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Feature maps `[N, inputs, H, W]` -> `[N, outputs, H / stride, W / stride]`."""
        if self.stride[0] == 2 and self.kernel_size[0] == 3:
            if self.training and self.groups > 1:
                # The same values. Backward through a strided channel-wise convolution has no fast path on CPUs.
                every = functional.conv2d(input, self.weight, padding=1, groups=self.groups)
                return every[:, :, 1::2, 1::2].contiguous(memory_format=torch.channels_last)
            input = functional.pad(input, (0, 1, 0, 1))  # noqa: A001
        return super().forward(input)


def _conv_norm(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, dilation: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        SameConv(inputs, outputs, kernel, stride=stride, dilation=dilation, groups=groups),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; the input is added where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, dilation: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.adds_input = stride == 1 and inputs == outputs
        layers: list[nn.Module] = [] if expansion == 1 else [_conv_norm(inputs, hidden, 1)]
        layers += [
            _conv_norm(hidden, hidden, 3, stride=stride, dilation=dilation, groups=hidden),
            SameConv(hidden, outputs, 1),
            nn.BatchNorm2d(outputs),
        ]
        self.conv = nn.Sequential(*layers)

    def forward(self, maps: Tensor) -> Tensor:
        """Feature maps `[N, inputs, H, W]` -> `[N, outputs, H / stride, W / stride]`."""
        out: Tensor = self.conv(maps)
        return maps + out if self.adds_input else out


class MobileNetV2(nn.Module):
    """The feature extractor. `dilated` keeps the last stage at stride 16 (same weights, dilated kernels).

    `channels` is 1 for a gray picture: the first layer's weights are summed over RGB, which equals feeding the gray
    value to all three. `head=False` leaves out the last 1x1 convolution (1,280 channels).
    """

    def __init__(self, channels: int = 1, *, dilated: bool = False, head: bool = True) -> None:
        super().__init__()
        self._channels = channels
        layers: list[nn.Module] = [_conv_norm(channels, 32, 3, stride=2)]
        inputs, dilation = 32, 1
        for expansion, outputs, blocks, first_stride in _STAGES:
            for block in range(blocks):
                stride = first_stride if block == 0 else 1
                if dilated and outputs == 160 and stride == 2:
                    layers.append(InvertedResidual(inputs, outputs, 1, expansion, 1))
                    dilation = 2
                else:
                    layers.append(InvertedResidual(inputs, outputs, stride, expansion, dilation))
                inputs = outputs
        if head:
            layers.append(_conv_norm(inputs, HEAD_CHANNELS, 1))
        self.features = nn.Sequential(*layers)

    def forward(self, picture: Tensor) -> Tensor:
        """Pictures `[N, channels, S, S]` scaled to -1..1 -> the last feature map."""
        out: Tensor = self.features(picture)
        return out

    def pyramid(self, picture: Tensor) -> list[Tensor]:
        """Pictures `[N, channels, S, S]` -> feature maps at strides 2, 4, 8, 16, 32."""
        maps, edges = [], (0, *(layer + 1 for layer in _SKIP_LAYERS))
        for start, stop in pairwise(edges):
            for layer in list(self.features)[start:stop]:
                picture = layer(picture)
            maps.append(picture)
        return maps

    def load_imagenet(self, weights: Mapping[str, Tensor]) -> None:
        """Take the ImageNet start (torchvision's keys). Raises `RuntimeError` where a key or shape does not fit."""
        state = {key: value.float() for key, value in weights.items() if key.startswith("features.")}
        if self._channels == 1:
            state["features.0.0.weight"] = state["features.0.0.weight"].sum(dim=1, keepdim=True)
        if len(self.features) < 19:
            state = {key: value for key, value in state.items() if not key.startswith("features.18.")}
        self.load_state_dict(state)


def scaled(image: Tensor) -> Tensor:
    """Gray values 0..255 (any type) -> float32 -1..1, as the ImageNet start wants them."""
    return image.to(torch.float32) / 127.5 - 1.0
