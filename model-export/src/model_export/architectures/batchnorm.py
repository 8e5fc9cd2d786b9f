"""Batch normalization, put back into folded weights (and folded again at export), without changing the function."""

from itertools import pairwise

import torch
from torch import Tensor, nn


@torch.no_grad()
def restore_batchnorm(network: nn.Module, pictures: Tensor) -> None:
    """Measure what each identity batch norm receives on `pictures [N, C, S, S]` and absorb it.

    After this the network computes the same in eval mode, and its batch norms normalize in train mode as if they had
    been trained: mean and variance are the measured ones, weight and bias undo them.
    """
    sums: dict[nn.BatchNorm2d, tuple[Tensor, Tensor]] = {}

    def measure(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if isinstance(module, nn.BatchNorm2d):
            maps = inputs[0].float()
            sums[module] = (maps.mean(dim=(0, 2, 3)), maps.var(dim=(0, 2, 3), unbiased=False))

    hooks = [m.register_forward_pre_hook(measure) for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    network.eval()
    network(pictures)
    for hook in hooks:
        hook.remove()
    for norm, (mean, variance) in sums.items():
        if norm.running_mean is None or norm.running_var is None:
            continue
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        offset = norm.bias - norm.running_mean * gain
        floored = variance.clamp_min(1e-4)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(floored)
        norm.weight.copy_(gain * (floored + norm.eps).sqrt())
        norm.bias.copy_(offset + mean * gain)


@torch.no_grad()
def fold_batchnorm(network: nn.Module) -> nn.Module:
    """Fold every `convolution, batch norm` pair of a sequence into the convolution (in place, eval mode)."""
    network.eval()
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        names = list(module._modules)
        for left, right in pairwise(names):
            convolution, norm = module._modules[left], module._modules[right]
            if isinstance(convolution, nn.Conv2d | nn.Conv3d) and isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d):
                _fold_pair(convolution, norm)
                module._modules[right] = nn.Identity()
    return network


def _fold_pair(convolution: nn.Conv2d | nn.Conv3d, norm: nn.BatchNorm2d | nn.BatchNorm3d) -> None:
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a batch norm without running statistics cannot be folded")
    gain = norm.weight / (norm.running_var + norm.eps).sqrt()
    bias = convolution.bias if convolution.bias is not None else torch.zeros_like(norm.running_mean)
    convolution.weight.mul_(gain.view(-1, *[1] * (convolution.weight.ndim - 1)))
    convolution.bias = nn.Parameter(norm.bias + (bias - norm.running_mean) * gain)
