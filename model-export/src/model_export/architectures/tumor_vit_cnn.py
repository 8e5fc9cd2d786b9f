"""A convolutional stem, then transformer blocks over its 8 x 8 positions: four classes."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.blocks import conv_norm, relu
from model_export.architectures.mobilenet import scaled

CLASSES = 4
SIZE = 128
_STEM = (16, 32, 64, 128)
_WIDTH, _HEADS, _BLOCKS = 128, 4, 4
_POSITIONS = (SIZE // 2 ** len(_STEM)) ** 2


class TransformerBlock(nn.Module):
    """Self-attention and a dense layer, each on the normalized tokens and added to them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.dropout = nn.Dropout(0.1)
        self.dense = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width), nn.Dropout(0.1)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens `[N, T, width]` -> the same shape."""
        _, count, width = tokens.shape
        parts = self.query_key_value(self.attention_norm(tokens)).reshape(-1, count, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(-1, count, width)
        tokens = tokens + self.dropout(self.mix(seen))
        out: Tensor = tokens + self.dense(tokens)
        return out


class TumorVitCnn(nn.Module):
    """Four stride-2 convolutions make 64 tokens; learned places are added; four transformer blocks; a linear head.

    The head is linear at every token and averaged, `logits = mean(cam)`. Attention has moved evidence between the
    tokens by then, so that the map says where the network keeps it, less strictly than a CNN's.
    """

    input_names = ("image",)
    output_names = ("logits", "cam")

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 1
        for outputs in _STEM:
            layers += conv_norm(inputs, outputs, stride=2, activation=relu)
            inputs = outputs
        self.stem = nn.Sequential(*layers, nn.Conv2d(inputs, _WIDTH, 1))
        self.places = nn.Parameter(torch.randn(1, _POSITIONS, _WIDTH) * 0.02)
        self.blocks = nn.Sequential(*(TransformerBlock(_WIDTH, _HEADS) for _ in range(_BLOCKS)))
        self.norm = nn.LayerNorm(_WIDTH)
        self.head = nn.Linear(_WIDTH, CLASSES)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Gray values `[N, 1, 128, 128]` 0..255 -> logits `[N, 4]`, map `[N, 4, 8, 8]`."""
        maps = self.stem(scaled(image))
        tokens = self.blocks(maps.flatten(2).transpose(1, 2) + self.places)
        evidence = self.head(self.norm(tokens))
        side = maps.shape[2]
        return evidence.mean(dim=1), evidence.transpose(1, 2).reshape(-1, CLASSES, side, side)
