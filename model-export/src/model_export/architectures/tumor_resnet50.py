"""ResNet50's layout (bottlenecks in stages of 3, 4, 6, 3) at a fraction of its width, four classes."""

from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.blocks import conv_norm, relu
from model_export.architectures.mobilenet import scaled

CLASSES = 4
# (inner channels at full width, blocks, stride of the first block). The last stage keeps stride 16, so that the map
# has 8 x 8 positions at 128 px and not 4 x 4.
_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 1))
_EXPANSION = 4


class Bottleneck(nn.Module):
    """1 x 1 down, 3 x 3, 1 x 1 up; the input is added, through a 1 x 1 convolution where the shapes differ."""

    def __init__(self, inputs: int, inner: int, stride: int) -> None:
        super().__init__()
        outputs = inner * _EXPANSION
        self.branch = nn.Sequential(
            *conv_norm(inputs, inner, 1, activation=relu),
            *conv_norm(inner, inner, 3, stride=stride, activation=relu),
            *conv_norm(inner, outputs, 1),
        )
        # Each block begins as its shortcut: sixteen sums in a row would otherwise grow from the start.
        nn.init.zeros_(self.branch[-1].weight)  # type: ignore[arg-type]
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(*conv_norm(inputs, outputs, 1, stride=stride))

    def forward(self, maps: Tensor) -> Tensor:
        """Feature maps `[N, inputs, H, W]` -> `[N, 4 * inner, H / stride, W / stride]`."""
        return functional.relu(self.branch(maps) + self.shortcut(maps))


class TumorResnet50(nn.Module):
    """ResNet50 at `width`, a linear head at every position, averaged: `logits = mean(cam)`."""

    input_names = ("image",)
    output_names = ("logits", "cam")

    def __init__(self, width: float = 0.25) -> None:
        super().__init__()
        inputs = round(64 * width)
        layers: list[nn.Module] = [*conv_norm(1, inputs, 7, stride=2, activation=relu), nn.MaxPool2d(3, 2, 1)]
        for full, blocks, stride in _STAGES:
            inner = round(full * width)
            for block in range(blocks):
                layers.append(Bottleneck(inputs, inner, stride if block == 0 else 1))
                inputs = inner * _EXPANSION
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Conv2d(inputs, CLASSES, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Gray values `[N, 1, S, S]` 0..255 -> logits `[N, 4]`, map `[N, 4, S / 16, S / 16]`."""
        cam = self.head(self.dropout(self.features(scaled(image))))
        return cam.mean(dim=(2, 3)), cam
