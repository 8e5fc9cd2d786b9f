"""VGG16's thirteen convolutions in five stages, with batch norm, at a fraction of its width."""

from torch import Tensor, nn

from model_export.architectures.blocks import conv_norm, relu

# (channels at full width, convolutions); a 2 x 2 maximum follows each stage.
_STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


class Vgg16(nn.Module):
    """The convolutional part. `width` multiplies every layer's channels (1: the published network)."""

    def __init__(self, width: float = 0.25) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 1
        for full, count in _STAGES:
            outputs = max(8, round(full * width))
            for _ in range(count):
                layers += conv_norm(inputs, outputs, activation=relu)
                inputs = outputs
            layers.append(nn.MaxPool2d(2))
        self.channels = inputs
        self.features = nn.Sequential(*layers)

    def forward(self, picture: Tensor) -> Tensor:
        """Gray pictures `[N, 1, S, S]` scaled to -1..1 -> `[N, channels, S / 32, S / 32]`.

        The published network reads the gray value three times as RGB; one channel with summed weights is the same.
        """
        out: Tensor = self.features(picture)
        return out
