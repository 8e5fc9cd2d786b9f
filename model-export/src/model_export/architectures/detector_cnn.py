"""The detector of the first project: is there a tumor on the slice? A small CNN with one sigmoid."""

from torch import Tensor, nn

from model_export.architectures.blocks import binary_logits, relu
from model_export.architectures.mobilenet import scaled

SIZE = 128
_WIDTHS = (16, 32, 64, 64)
_HIDDEN = 128


class DetectorCnn(nn.Module):
    """Four times convolution, ReLU and 2 x 2 maximum, then a dense layer between two dropouts, and one score z.

    It is trained by binary cross-entropy on z. It is served as `logits = (0, z)`, in the order no_tumor, tumor: their
    softmax is `(1 - sigmoid(z), sigmoid(z))`, so that a sigmoid network is read as any other classifier.
    """

    input_names = ("image",)
    output_names = ("logits",)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 1
        for width in _WIDTHS:
            layers += [nn.Conv2d(inputs, width, 3, padding=1), relu(), nn.MaxPool2d(2)]
            inputs = width
        self.features = nn.Sequential(*layers)
        side = SIZE // 2 ** len(_WIDTHS)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(inputs * side * side, _HIDDEN), relu(), nn.Dropout(0.5)
        )
        self.head = nn.Linear(_HIDDEN, 1)

    def score(self, image: Tensor) -> Tensor:
        """Gray values `[N, 1, 128, 128]` 0..255 -> z `[N, 1]`: the log-odds of a tumor."""
        out: Tensor = self.head(self.classifier(self.features(scaled(image))))
        return out

    def forward(self, image: Tensor) -> Tensor:
        """Gray values `[N, 1, 128, 128]` 0..255 -> logits `[N, 2]` (no_tumor, tumor)."""
        return binary_logits(self.score(image))
