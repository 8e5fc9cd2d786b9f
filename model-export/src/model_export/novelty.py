"""The view network with one more output: how unlike a brain MRI slice the picture is. See docs/door.md."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model_export.architectures.mobilenet import scaled
from model_export.architectures.view import ViewNetwork
from model_export.datasets.outliers import OutlierKind, made_kinds, packaged_kinds
from model_export.novelty_statistics import NoveltyStatistics, fit_statistics
from service_kit.inference.manifest import Novelty
from service_kit.inference.preprocessing import Preprocessing

OUTLIERS_A_KIND, MOST_SLICES, TURNED_SHARE, SEED = 40, 3000, 0.25, 5
_BATCH = 64
Pictures = NDArray[np.uint8]


class NoveltyNetwork(nn.Module):
    """A view network that answers with its novelty as well: `[N, 1]`, from the means of its maps at strides 4 to 32."""

    input_names = ("image",)
    output_names = ("logits", "features", "novelty")
    mean: Tensor
    projection: Tensor
    quadratic: Tensor
    linear: Tensor

    def __init__(self, network: ViewNetwork, statistics: NoveltyStatistics) -> None:
        super().__init__()
        self.network = network
        for name in ("mean", "projection", "quadratic", "linear"):
            self.register_buffer(name, torch.tensor(getattr(statistics, name), dtype=torch.float32))
        self.constant = statistics.constant

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gray values `[N, 1, S, S]` 0..255 -> logits `[N, 3]`, features `[N, 128]`, novelty `[N, 1]`."""
        network = self.network
        maps = network.encoder.pyramid(scaled(image))
        pooled = network.encoder.features[-1](maps[-1]).mean(dim=(2, 3))
        features = network.activation(network.penultimate(network.dropout(pooled)))
        means = _means(maps)
        centered = torch.sign(means) * torch.sqrt(torch.abs(means)) - self.mean
        parts = centered @ self.projection
        raw = (parts @ self.quadratic * parts).sum(dim=1, keepdim=True)
        raw = raw + parts @ self.linear[:, None] + self.constant
        return network.head(features), features, torch.sign(raw) * torch.log1p(torch.abs(raw))


def attach_novelty(network: nn.Module, statistics: NoveltyStatistics) -> nn.Module:
    """The view network with the output `novelty`, in eval mode. Raises `TypeError` for another network."""
    if not isinstance(network, ViewNetwork):
        raise TypeError("novelty is measured on the view network")
    return NoveltyNetwork(network, statistics).eval()


def fit_novelty(
    network: nn.Module, images: Pictures, sources: Sequence[str] | None = None, *, outliers: Pictures | None = None
) -> NoveltyStatistics:
    """Statistics and limits for a view network.

    Args:
        network: a trained `ViewNetwork`; it is used in eval mode.
        images: slices of brains on the network's grid, uint8 `[N, S, S]` or `[N, 1, S, S]`; at most 3,000 are used.
        sources: where each comes from; without it five random parts stand in, and the limits know no other scanner.
        outliers: pictures of anything else on the same grid; without it the made and the packaged kinds are drawn.

    Raises:
        ValueError: one source, or fewer slices than components.
    """
    random = np.random.default_rng(SEED)
    pictures = images[:, 0] if images.ndim == 4 else images
    chosen = np.sort(random.permutation(len(pictures))[:MOST_SLICES])
    names = np.array(sources)[chosen] if sources is not None else random.integers(0, 5, len(chosen)).astype(str)
    real, real_names = with_turned(pictures[chosen], names, random)
    if outliers is None:
        outliers = draw_outliers((*made_kinds(), *packaged_kinds()), pictures.shape[-1], OUTLIERS_A_KIND)[0]
    return fit_statistics(pooled_features(network, real), pooled_features(network, outliers), real_names)


def manifest_block(statistics: NoveltyStatistics, fitted_on: str) -> Novelty:
    """The limits as the manifest carries them."""
    return Novelty(review_above=statistics.review_above, refuse_above=statistics.refuse_above, fitted_on=fitted_on)


def with_turned(
    pictures: Pictures, sources: NDArray[np.str_], random: np.random.Generator
) -> tuple[Pictures, NDArray[np.str_]]:
    """The slices and, for a quarter of them, a turned copy beside it: scans come in any orientation."""
    turned = np.flatnonzero(random.random(len(pictures)) < TURNED_SHARE)
    copies = [np.rot90(pictures[position], int(random.integers(1, 4))) for position in turned]
    return np.concatenate([pictures, np.array(copies, np.uint8).reshape(-1, *pictures.shape[1:])]), np.concatenate(
        [sources, sources[turned]]
    )


def draw_outliers(kinds: Sequence[OutlierKind], size: int, count: int) -> tuple[Pictures, NDArray[np.str_]]:
    """`count` pictures of each kind on the view model's grid `[M, size, size]`, and the kind of each."""
    preprocessing = Preprocessing(size=size)
    drawn: list[Pictures] = []
    for kind in kinds:
        random = np.random.default_rng(SEED)
        drawn += [preprocessing.apply(kind.draw(random))[0] for _ in range(count)]
    return np.stack(drawn), np.repeat([kind.name for kind in kinds], count)


@torch.no_grad()
def pooled_features(network: nn.Module, pictures: Pictures) -> NDArray[np.float32]:
    """Slices `[N, S, S]` -> the means `[N, 472]` of the encoder's maps at strides 4, 8, 16 and 32."""
    if not isinstance(network, ViewNetwork):
        raise TypeError("novelty is measured on the view network")
    network.eval()
    found = []
    for start in range(0, len(pictures), _BATCH):
        batch = torch.from_numpy(np.ascontiguousarray(pictures[start : start + _BATCH]))[:, None]
        found.append(_means(network.encoder.pyramid(scaled(batch))).numpy())
    return np.concatenate(found)


def _means(maps: list[Tensor]) -> Tensor:
    return torch.cat([plane.mean(dim=(2, 3)) for plane in maps[1:]], dim=1)
