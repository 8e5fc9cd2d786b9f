"""The fourth project's view network: VGG16 whose 128-wide layer before the answer is handed on as features."""

from torch import Tensor, nn

from model_export.architectures.mobilenet import scaled
from model_export.architectures.vgg16 import Vgg16
from model_export.architectures.view import FEATURES


class ViewVgg16(nn.Module):
    """VGG16 at `width`, the mean over its map, a 128-wide ReLU layer, three logits.

    The mean stands for the published network's flattening: it can begin on smaller pictures, with fewer weights.
    """

    input_names = ("image",)
    output_names = ("logits", "features")

    def __init__(self, width: float = 0.25) -> None:
        super().__init__()
        self.encoder = Vgg16(width)
        self.penultimate = nn.Sequential(nn.Dropout(0.2), nn.Linear(self.encoder.channels, FEATURES), nn.ReLU())
        self.head = nn.Linear(FEATURES, 3)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Gray `[N, 1, S, S]` 0..255 -> logits `[N, 3]` (axial, coronal, sagittal), features `[N, 128]`."""
        features = self.penultimate(self.encoder(scaled(image)).mean(dim=(2, 3)))
        return self.head(features), features
