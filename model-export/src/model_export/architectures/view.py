"""The view network: which plane a slice shows, and the 128 features that the tumor network reads as well."""

from torch import Tensor, nn

from model_export.architectures.mobilenet import HEAD_CHANNELS, MobileNetV2, scaled

FEATURES = 128


class ViewNetwork(nn.Module):
    """MobileNetV2, mean over the map, a 128-wide ReLU layer, three logits."""

    input_names = ("image",)
    output_names = ("logits", "features")

    def __init__(self) -> None:
        super().__init__()
        self.encoder = MobileNetV2()
        self.dropout = nn.Dropout(0.2)
        self.penultimate = nn.Linear(HEAD_CHANNELS, FEATURES)
        self.activation = nn.ReLU()
        self.head = nn.Linear(FEATURES, 3)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Gray values `[N, 1, S, S]` 0..255 -> logits `[N, 3]` (axial, coronal, sagittal) and features `[N, 128]`."""
        pooled = self.encoder(scaled(image)).mean(dim=(2, 3))
        features = self.activation(self.penultimate(self.dropout(pooled)))
        return self.head(features), features
