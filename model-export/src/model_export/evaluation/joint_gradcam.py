"""Grad-CAM of the joint T1 network, from its checkpoint."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from model_export.architectures.t1 import TumorHalf
from model_export.datasets.split import Fold
from model_export.evaluation.faithfulness import GradCam
from model_export.evaluation.gradcam import grad_cam, on_grid
from model_export.export.networks import NETWORKS, trained_network
from model_export.training.loop import load_checkpoint
from model_export.training.run import checkpoint_path


def joint_grad_cam(cache: Path, fold: Fold, report: Callable[[str], None]) -> GradCam | None:
    """Grad-CAM of a fold's tumor network, on the published map's grid; None where its checkpoint is gone.

    At the last convolution before the linear evidence, and at the encoder's last (half that resolution).
    """
    try:
        state, _, _ = load_checkpoint(checkpoint_path(cache, NETWORKS["tumor"].trained, fold))
    except FileNotFoundError:
        report("heat maps: no checkpoint of this fold, so no Grad-CAM (model-export train t1)")
        return None
    network = trained_network("tumor", state)
    if not isinstance(network, TumorHalf):
        raise TypeError("Grad-CAM knows the layers of the joint T1 network alone")
    layers = {
        "last convolution": network.network.joined,
        "encoder's last convolution": network.network.unet.encoder.features[-1],
    }

    def maps(image: NDArray[np.uint8], features: NDArray[np.float32], label: int) -> dict[str, NDArray[np.floating]]:
        inputs = torch.from_numpy(image[None]), torch.from_numpy(features[None])
        found = {name: grad_cam(network, layer, inputs, torch.tensor([label])) for name, layer in layers.items()}
        side = max(heat.shape[-1] for heat in found.values())
        return {name: on_grid(heat, side)[0] for name, heat in found.items()}

    return maps
