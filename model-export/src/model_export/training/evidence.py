"""The second stage of the tumor network: a head that says where, fitted on the frozen encoder.

Trained for the class alone the head finds its evidence anywhere, the background included. Here the published masks of
the training patients say where a tumor is: the evidence for its class is drawn there, while the class is still learned.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.tumor import TumorNetwork
from model_export.training.config import TrainingConfig

_EPOCHS, _BATCH, _RATE, _DECAY = 6, 64, 3e-3, 0.05
_PLACE_WEIGHT = 0.5
_LEAST_COVERED = 0.3
"""A mask that covers less than this share of one position says nothing at this resolution."""


@dataclass(frozen=True)
class Frozen:
    """What the encoder says of the training slices, and what is known of them.

    `maps [N, 1280, h, w]` float16, `view_features [N, 128]`, `labels [N]`, `covered [N, h, w]`: the share of each
    position that the mask covers, 0 where there is no mask.
    """

    maps: Tensor
    view_features: Tensor
    labels: Tensor
    covered: Tensor


def refit_head(network: TumorNetwork, frozen: Frozen, config: TrainingConfig, report: Callable[[str], None]) -> None:
    """Fit `head` and `view_head` of `network` (pooling "evidence") anew, in place.

    The loss is the class' cross-entropy, and for a slice with a mask the divergence between the mask and where the
    evidence for the true class lies.
    """
    torch.manual_seed(config.seed)
    random = np.random.default_rng(config.seed)
    nn.init.normal_(network.head.weight, std=0.01)
    network.view_head.reset_parameters()
    weights = [*network.head.parameters(), *network.view_head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=_RATE, weight_decay=_DECAY)
    steps = max(1, len(frozen.labels) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps * _EPOCHS + 1)
    network.eval()
    network.dropout.train()
    network.view_dropout.train()
    for epoch in range(_EPOCHS):
        order, total = random.permutation(len(frozen.labels)), 0.0
        for step in range(steps):
            loss = _loss(network, frozen, order[step * _BATCH : (step + 1) * _BATCH], config.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        report(f"{config.name} evidence head, epoch {epoch + 1}/{_EPOCHS}: loss {total / steps:.4f}")
    network.eval()


def _loss(network: TumorNetwork, frozen: Frozen, positions: NDArray[np.int64], label_smoothing: float) -> Tensor:
    chosen = torch.from_numpy(positions)
    labels = frozen.labels[chosen]
    logits, evidence = network.judge(frozen.maps[chosen].float(), frozen.view_features[chosen])
    loss = functional.cross_entropy(logits, labels, label_smoothing=label_smoothing)
    covered = frozen.covered[chosen].flatten(1)
    seen = covered.sum(dim=1) > _LEAST_COVERED
    if bool(seen.any()):
        place = covered[seen] / covered[seen].sum(dim=1, keepdim=True)
        found = functional.log_softmax(evidence[seen, labels[seen]].flatten(1), dim=1)
        divergence = functional.kl_div(found, place, reduction="batchmean")
        loss = loss + _PLACE_WEIGHT * divergence * seen.float().mean()
    return loss
