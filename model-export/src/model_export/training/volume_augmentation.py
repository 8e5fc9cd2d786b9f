"""Augmentation of one patch: mirrored, now and then turned and zoomed, then what scanners do to intensities."""

import math

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor
from torch.nn import functional


class VolumeAugmentation(BaseModel):
    """Strengths and shares. Intensities are standardized ones: 0 is the mean, 1 a standard deviation of the brain.

    Turning costs as much as all else together, so a share of the patches gets it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mirror_share: float = 0.5
    turned_share: float = 0.25
    rotation_deg: float = 15.0
    zoom: float = 0.18
    gamma: float = 0.3
    contrast: float = 0.25
    brightness: float = 0.2
    bias_field: float = 0.3
    bias_share: float = 0.3
    noise: float = 0.15
    noise_share: float = 0.3
    blur_share: float = 0.15

    def apply(self, volume: Tensor, regions: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Volume `[C, p, p, p]` and regions `[R, p, p, p]` (0..1), float32 -> both, changed; background stays 0."""
        axes = [axis for axis in (1, 2, 3) if _happens(self.mirror_share, generator)]
        if axes:
            volume, regions = volume.flip(axes), regions.flip(axes)
        if _happens(self.turned_share, generator):
            volume, regions = self._turned(volume, regions, generator)
        return self._intensities(volume, generator), regions

    def _turned(self, volume: Tensor, regions: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        axis, other = ((0, 1), (0, 2), (1, 2))[int(torch.randint(0, 3, (1,), generator=generator))]
        angle = math.radians(_spread(self.rotation_deg, generator))
        matrix = torch.eye(3) * math.exp(_spread(self.zoom, generator))
        turn = torch.eye(3)
        turn[axis, axis] = turn[other, other] = math.cos(angle)
        turn[axis, other], turn[other, axis] = -math.sin(angle), math.sin(angle)
        theta = torch.cat([turn @ matrix, torch.zeros(3, 1)], dim=1)[None]
        both = torch.cat([volume, regions])[None]
        grid = functional.affine_grid(theta, [1, 1, *volume.shape[1:]], align_corners=False)
        found = functional.grid_sample(both, grid, mode="bilinear", align_corners=False)[0]
        return found[: len(volume)], (found[len(volume) :] > 0.5).float()

    def _intensities(self, volume: Tensor, generator: torch.Generator) -> Tensor:
        brain = volume != 0
        channels = len(volume)
        gain = torch.tensor([math.exp(_spread(self.contrast, generator)) for _ in range(channels)])
        shift = torch.tensor([_spread(self.brightness, generator) for _ in range(channels)])
        volume = volume * gain[:, None, None, None] + shift[:, None, None, None]
        for channel in range(channels):
            if _happens(0.3, generator):
                volume[channel] = _gamma(volume[channel], math.exp(_spread(self.gamma, generator)))
            if _happens(self.blur_share, generator):
                volume[channel] = _blurred(volume[channel], generator)
        if _happens(self.bias_share, generator):
            coarse = (torch.rand(1, 1, 4, 4, 4, generator=generator) * 2 - 1) * self.bias_field
            field = functional.interpolate(coarse, size=volume.shape[1:], mode="trilinear", align_corners=False)
            volume = volume * torch.exp(field[0])
        if _happens(self.noise_share, generator):
            strength = float(torch.rand(1, generator=generator)) * self.noise
            volume = volume + torch.randn(volume.shape, generator=generator) * strength
        return volume * brain


def drop_sequences(channels: int, share: float, generator: torch.Generator) -> Tensor:
    """Which sequences are there, `[channels]` of 1 and 0: all, or in a `share` of the calls one or more are not.

    One is missing in six of ten such calls; at least one is always there.
    """
    present = torch.ones(channels)
    if channels > 1 and _happens(share, generator):
        chance = float(torch.rand(1, generator=generator))
        missing = min(1 if chance < 0.6 else 2 if chance < 0.85 else 3, channels - 1)
        present[torch.randperm(channels, generator=generator)[:missing]] = 0.0
    return present


def _gamma(channel: Tensor, exponent: float) -> Tensor:
    low, high = channel.min(), channel.max()
    span = (high - low).clamp_min(1e-6)
    return ((channel - low) / span) ** exponent * span + low


def _blurred(channel: Tensor, generator: torch.Generator) -> Tensor:
    share = 0.5 + 0.4 * float(torch.rand(1, generator=generator))
    small = [max(2, round(size * share)) for size in channel.shape]
    coarse = functional.interpolate(channel[None, None], size=small, mode="trilinear", align_corners=False)
    back = functional.interpolate(coarse, size=list(channel.shape), mode="trilinear", align_corners=False)
    return back[0, 0]


def _happens(share: float, generator: torch.Generator) -> bool:
    return float(torch.rand(1, generator=generator)) < share


def _spread(limit: float, generator: torch.Generator) -> float:
    return (float(torch.rand(1, generator=generator)) * 2 - 1) * limit
