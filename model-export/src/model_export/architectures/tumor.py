"""The tumor network: class logits and their exact class activation map, on the picture and the view features."""

from torch import Tensor, nn

from model_export.architectures.mobilenet import HEAD_CHANNELS, MobileNetV2, scaled
from model_export.architectures.view import FEATURES

CLASSES = 4


class TumorNetwork(nn.Module):
    """Dilated MobileNetV2 (stride 16) with a linear head.

    With the feature map F, its mean f and the view features v: `cam = W F`, `logits = W f + V v + b`, so the mean of
    the map plus the view's share is the logit: the map is no approximation.
    """

    input_names = ("image", "view_features")
    output_names = ("logits", "cam")

    def __init__(self) -> None:
        super().__init__()
        self.encoder = MobileNetV2(dilated=True)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Conv2d(HEAD_CHANNELS, CLASSES, 1, bias=False)
        self.view_dropout = nn.Dropout(0.5)
        self.view_head = nn.Linear(FEATURES, CLASSES)

    def forward(self, image: Tensor, view_features: Tensor) -> tuple[Tensor, Tensor]:
        """Gray values `[N, 1, S, S]` 0..255, features `[N, 128]` -> logits `[N, 4]`, map `[N, 4, S / 16, S / 16]`."""
        maps = self.encoder(scaled(image))
        cam = self.head(self.dropout(maps))
        return cam.mean(dim=(2, 3)) + self.view_head(self.view_dropout(view_features)), cam
