"""Grad-CAM (Selvaraju et al. 2017) in the training environment: a heat map that knows nothing of the published one."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


def grad_cam(network: nn.Module, layer: nn.Module, inputs: Sequence[Tensor], classes: Tensor) -> Tensor:
    """`relu(sum_k a_k A_k)` with `a_k` the mean gradient of the class' logit over map `A_k`: `[N, h, w]`.

    Args:
        network: in eval mode; its first (or only) output is the logits `[N, C]`.
        layer: a module of `network` that puts out feature maps `[N, K, h, w]` and is used once.
        inputs: of the network.
        classes: the class to explain, `[N]` integers.

    Raises:
        ValueError: the layer took no part in the answer, or its output is no stack of maps.
    """
    kept: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    try:
        with torch.enable_grad():
            answer = network(*inputs)
    finally:
        hook.remove()
    if len(kept) != 1 or kept[0].ndim != 4 or not kept[0].requires_grad:
        raise ValueError("Grad-CAM needs a layer that is used once and puts out feature maps with a gradient")
    logits = answer[0] if isinstance(answer, tuple) else answer
    (gradient,) = torch.autograd.grad(logits.gather(1, classes[:, None]).sum(), kept[0])
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return functional.relu((weights * kept[0]).sum(dim=1)).detach()


def on_grid(maps: Tensor, side: int) -> NDArray[np.float32]:
    """Maps `[N, h, w]` on a `side` x `side` grid, bilinearly."""
    grown = functional.interpolate(maps[:, None].float(), size=(side, side), mode="bilinear", align_corners=False)
    return np.asarray(grown[:, 0].numpy(), np.float32)
