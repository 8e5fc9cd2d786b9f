"""The second project's classifier: a plain CNN with batch norm, four classes."""

from torch import Tensor, nn

from model_export.architectures.blocks import conv_norm, relu
from model_export.architectures.mobilenet import scaled

CLASSES = 4
_WIDTHS = (16, 32, 64, 128)


class TumorCnn(nn.Module):
    """Four blocks of two convolutions with batch norm, each but the last followed by a 2 x 2 maximum.

    The head is linear at every position and averaged, `logits = mean(cam)`: the map adds up to the logits.
    """

    input_names = ("image",)
    output_names = ("logits", "cam")

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = conv_norm(1, _WIDTHS[0], 5, stride=2, activation=relu)
        inputs = _WIDTHS[0]
        for width in _WIDTHS:
            layers += [*conv_norm(inputs, width, activation=relu), *conv_norm(width, width, activation=relu)]
            if width != _WIDTHS[-1]:
                layers.append(nn.MaxPool2d(2))
            inputs = width
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Conv2d(inputs, CLASSES, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Gray values `[N, 1, S, S]` 0..255 -> logits `[N, 4]`, map `[N, 4, S / 16, S / 16]`."""
        cam = self.head(self.dropout(self.features(scaled(image))))
        return cam.mean(dim=(2, 3)), cam
