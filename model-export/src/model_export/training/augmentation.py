"""Augmentation of a whole batch at once: geometry by one affine grid, then what scanners do to intensities."""

import math

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor
from torch.nn import functional


class Augmentation(BaseModel):
    """Strengths; each is drawn anew for every picture. Half of them are mirrored: left and right mean nothing here.

    `turned_share` of the pictures are turned by quarters as well: scans come in any orientation, mostly in their own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    turned_share: float = 1.0
    rotation_deg: float = 20.0
    zoom: float = 0.22
    stretch: float = 0.08
    shift: float = 0.07
    gamma: float = 0.4
    contrast: float = 0.25
    brightness: float = 0.08
    bias_field: float = 0.3
    noise: float = 0.05
    blur_share: float = 0.3

    def apply(
        self, images: Tensor, masks: Tensor | None, generator: torch.Generator, size: int | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Uint8 `images [N, C, S, S]` (and `masks [N, 1, S, S]`, 0..255) -> float images 0..255, masks 0..1.

        Both come out at `size` px a side where one is given.
        """
        count, side = len(images), size or images.shape[-1]
        grid = functional.affine_grid(self._matrices(count, generator), [count, 1, side, side], align_corners=False)
        picture = functional.grid_sample(images.float() / 255.0, grid, mode="bilinear", align_corners=False)
        mask = None
        if masks is not None:
            mask = functional.grid_sample(masks.float() / 255.0, grid, mode="bilinear", align_corners=False)
        return self._intensities(picture, generator) * 255.0, mask

    def _matrices(self, count: int, generator: torch.Generator) -> Tensor:
        def spread(limit: float) -> Tensor:
            return (torch.rand(count, generator=generator) * 2 - 1) * limit

        angle = spread(math.radians(self.rotation_deg))
        turned = torch.rand(count, generator=generator) < self.turned_share
        angle = angle + torch.randint(0, 4, (count,), generator=generator) * (math.pi / 2) * turned
        flip = torch.randint(0, 2, (count,), generator=generator) * 2.0 - 1.0
        zoom, stretch = torch.exp(spread(self.zoom)), torch.exp(spread(self.stretch))
        cosine, sine = torch.cos(angle), torch.sin(angle)
        rows = [
            torch.stack([flip * cosine * zoom * stretch, -sine * zoom, spread(self.shift)], dim=1),
            torch.stack([flip * sine * zoom, cosine * zoom / stretch, spread(self.shift)], dim=1),
        ]
        return torch.stack(rows, dim=1)

    def _intensities(self, picture: Tensor, generator: torch.Generator) -> Tensor:
        count, channels, side = picture.shape[0], picture.shape[1], picture.shape[2]

        def spread(limit: float) -> Tensor:
            return (torch.rand(count, channels, 1, 1, generator=generator) * 2 - 1) * limit

        coarse = (torch.rand(count, 1, 4, 4, generator=generator) * 2 - 1) * self.bias_field
        field = functional.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)
        picture = picture.clamp(1e-4, 1.0) ** torch.exp(spread(self.gamma)) * torch.exp(field)
        picture = picture * (1.0 + spread(self.contrast)) + spread(self.brightness) * (picture > 0.03)
        chosen = torch.rand(count, generator=generator) < self.blur_share
        if bool(chosen.any()):
            share = 0.35 + 0.5 * float(torch.rand(1, generator=generator))
            small = functional.interpolate(
                picture[chosen], scale_factor=share, mode="area", recompute_scale_factor=True
            )
            picture[chosen] = functional.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)
        strength = torch.rand(count, 1, 1, 1, generator=generator) * self.noise
        noise = torch.randn(picture.shape, generator=generator)
        return (picture + noise * strength).clamp(0.0, 1.0)
