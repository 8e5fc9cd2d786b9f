"""Grad-CAM on a network in which it is known in closed form, and on the joint network's layers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from model_export.architectures.t1 import T1Network
from model_export.datasets.split import Fold
from model_export.evaluation.gradcam import grad_cam, on_grid
from model_export.evaluation.joint_gradcam import joint_grad_cam
from model_export.training.config import CONFIGS
from model_export.training.loop import save_checkpoint
from model_export.training.run import checkpoint_path
from service_kit.contracts.common import TUMOR_LABELS

GLIOMA = TUMOR_LABELS.index("glioma")


class Small(nn.Module):
    """Two maps by 1 x 1 convolutions, a linear head on their means: Grad-CAM is known in closed form."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(1, 2, 1, bias=False)
        self.head = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.maps.weight.copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1))
            self.head.weight.copy_(torch.tensor([[3.0, 1.0], [0.0, 2.0]]))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.maps(image)
        return self.head(maps.mean(dim=(2, 3))), maps


def test_grad_cam_by_hand() -> None:
    network, image = Small().eval(), torch.tensor([[1.0, -2.0], [0.5, 4.0]]).reshape(1, 1, 2, 2)
    first = grad_cam(network, network.maps, [image], torch.tensor([0]))
    assert torch.allclose(first, (2.0 / 4 * image[:, 0]).clamp_min(0))
    second = grad_cam(network, network.maps, [image], torch.tensor([1]))
    assert torch.allclose(second, (-2.0 / 4 * image[:, 0]).clamp_min(0))


def test_grad_cam_wants_maps_of_the_answer() -> None:
    network = Small().eval()
    with pytest.raises(ValueError, match="feature maps"):
        grad_cam(network, network.head, [torch.zeros(1, 1, 2, 2)], torch.tensor([0]))


def test_the_joint_networks_grad_cam_has_the_published_maps_grid(tmp_path: Path) -> None:
    torch.manual_seed(0)
    told: list[str] = []
    assert joint_grad_cam(tmp_path, Fold(0), told.append) is None
    assert "model-export train t1" in told[0]
    save_checkpoint(checkpoint_path(tmp_path, "t1", Fold(0)), T1Network(), CONFIGS["t1"], [])
    maps = joint_grad_cam(tmp_path, Fold(0), told.append)
    assert maps is not None
    image = np.random.default_rng(0).integers(0, 255, (1, 96, 96), np.uint8)
    found = maps(image, np.zeros(128, np.float32), GLIOMA)
    assert {name: heat.shape for name, heat in found.items()} == dict.fromkeys(
        ("last convolution", "encoder's last convolution"), (6, 6)
    )
    assert all(heat.min() >= 0 for heat in found.values())


def test_a_coarse_map_is_brought_to_the_published_grid() -> None:
    maps = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]])
    found = on_grid(maps, 4)
    assert found.shape == (1, 4, 4)
    assert found[0, 0].tolist() == pytest.approx([0.0, 0.25, 0.75, 1.0])
