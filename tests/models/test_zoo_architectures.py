"""The zoo: shapes of every network, a training step that learns, and graphs that compute what the networks compute."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from model_export.architectures.detector_cnn import DetectorCnn
from model_export.architectures.seg_attention_unet import AttentionGate
from model_export.architectures.vgg16 import Vgg16
from model_export.datasets.split import Fold, GroupSplit
from model_export.export.onnx_graph import export_network
from model_export.training.loop import Task, fit
from model_export.training.zoo import tumor_label
from model_export.training.zoo_classifier import LabelledSlices, ZooClassifierTask
from model_export.training.zoo_segmenter import OutlinedSlices, ZooSegmenterTask
from model_export.verify import compare
from model_export.zoo import ZOO, ZooEntry
from service_kit.contracts.common import TUMOR_LABELS

# An export takes seconds, and many of them on a busy machine.
pytestmark = pytest.mark.timeout(900)
SIDE = 128
NAMES = sorted(ZOO)


def _inputs(entry: ZooEntry, batch: int, seed: int = 0) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randint(0, 256, (batch, 1, 8, 8), generator=generator).float()
    image = nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear").round().to(torch.uint8)
    if entry.needs_view_features:
        return image, torch.rand(batch, 128, generator=generator) * 3.0
    return (image,)


def _lively(network: nn.Module) -> nn.Module:
    """Batch norms as after training, so that folding them is tested too."""
    generator = torch.Generator().manual_seed(4)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d) and module.running_mean is not None:
            module.running_mean.copy_(torch.rand(module.running_mean.shape, generator=generator) * 0.4 - 0.2)
            module.weight.data.copy_(torch.rand(module.weight.shape, generator=generator) * 0.4 + 0.4)
    return network.eval()


@pytest.mark.parametrize("name", NAMES)
def test_every_network_answers_in_the_contract_s_shapes(name: str) -> None:
    entry = ZOO[name]
    torch.manual_seed(1)
    network = entry.build().eval()
    with torch.no_grad():
        found = network(*_inputs(entry, 3))
    named = dict(zip(network.output_names, found if isinstance(found, tuple) else (found,), strict=True))
    if entry.kind == "segmenter":
        assert list(named) == ["probabilities"]
        assert named["probabilities"].shape == (3, 1, SIDE, SIDE)
        assert 0.0 <= float(named["probabilities"].min()) <= float(named["probabilities"].max()) <= 1.0
        return
    assert named["logits"].shape == (3, len(entry.labels))
    if entry.kind == "view":
        assert named["features"].shape == (3, 128)
    if "cam" in named:
        assert named["cam"].shape == (3, len(entry.labels), 8, 8)
        torch.testing.assert_close(named["cam"].mean(dim=(2, 3)), named["logits"], rtol=1e-4, atol=1e-5)
    assert network.input_names == (("image", "view_features") if entry.needs_view_features else ("image",))


@pytest.mark.parametrize("name", NAMES)
def test_the_exported_graph_agrees_with_the_network(name: str, tmp_path: Path) -> None:
    entry = ZOO[name]
    torch.manual_seed(2)
    network = _lively(entry.build())
    reference, path = copy.deepcopy(network), tmp_path / "model.onnx"
    export_network(network, _inputs(entry, 2), path)
    parity = compare(reference, path, [_inputs(entry, 1, 5), _inputs(entry, 3, 6)])
    assert parity.passed, parity
    assert parity.batches == (1, 3)


def _task(entry: ZooEntry, limit: int = 0) -> Task:
    """A dozen slices: a bright disc whose place tells the class, and is the mask."""
    count = 12
    torch.manual_seed(3)
    places = torch.arange(count) % max(2, len(entry.labels))
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    discs = torch.stack([(y - 40 - 14 * p) ** 2 + (x - 40 - 14 * p) ** 2 < 18**2 for p in places.tolist()])
    images = (60 + 150 * discs.to(torch.uint8))[:, None].to(torch.uint8)
    groups = [f"patient-{n}" for n in range(count)]
    split = GroupSplit(frozenset(groups), frozenset())
    config = entry.config(Fold()).with_overrides(
        batch=12, epochs=1, small_epochs=0, limit=limit, patience=0, label_smoothing=0.0
    )
    network = entry.build()
    if entry.kind == "segmenter":
        outlined = OutlinedSlices(images, discs[:, None].to(torch.uint8) * 255, groups, np.arange(count) < 10)
        return ZooSegmenterTask(network, outlined, split, config, entry.loss)
    features = torch.rand(count, 128) if entry.needs_view_features else None
    main = np.arange(count) < 10
    slices = LabelledSlices(images, places.numpy().astype(np.int64), groups, main, features)
    return ZooClassifierTask(network, slices, split, config, even_classes=entry.kind == "view")


@pytest.mark.parametrize("name", NAMES)
def test_a_few_steps_lower_the_loss_of_a_fixed_batch(name: str) -> None:
    task = _task(ZOO[name])
    network = task.network.train()
    for module in network.modules():
        if isinstance(module, nn.Dropout | nn.Dropout2d):
            module.p = 0.0
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    positions = np.arange(12)
    losses = []
    for _ in range(8):
        loss = task.loss(positions, torch.Generator().manual_seed(8))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.97 * losses[0]


def test_the_detector_s_softmax_is_the_sigmoid_of_its_score() -> None:
    torch.manual_seed(5)
    network = DetectorCnn().eval()
    image = _inputs(ZOO["detector-cnn"], 4)[0]
    probabilities = torch.softmax(network(image), dim=1)
    torch.testing.assert_close(probabilities[:, 1:], torch.sigmoid(network.score(image)))


def test_vgg16_has_thirteen_convolutions_at_the_published_width() -> None:
    full = [m for m in Vgg16(width=1.0).modules() if isinstance(m, nn.Conv2d)]
    assert [m.out_channels for m in full] == [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6
    assert Vgg16().channels == 128


def test_a_closed_gate_lets_nothing_through() -> None:
    torch.manual_seed(6)
    gate = AttentionGate(8, 16).eval()
    skip, deep = torch.randn(1, 8, 4, 4), torch.randn(1, 16, 2, 2)
    assert gate(skip, deep).shape == skip.shape
    nn.init.zeros_(gate.psi.weight)
    nn.init.constant_(gate.psi.bias, -40.0)  # type: ignore[arg-type]
    assert float(gate(skip, deep).detach().abs().max()) < 1e-6


def test_the_binary_detector_calls_every_tumor_a_tumor() -> None:
    labels = ZOO["detector-cnn"].labels
    assert [tumor_label(name, labels) for name in TUMOR_LABELS] == ["tumor", "tumor", "no_tumor", "tumor"]
    assert [tumor_label(name, TUMOR_LABELS) for name in TUMOR_LABELS] == list(TUMOR_LABELS)


def test_an_epoch_draws_all_of_the_main_set_and_half_of_the_extras() -> None:
    task = _task(ZOO["tumor-cnn"])
    drawn = task.draw(np.random.default_rng(0))
    assert sorted(p for p in drawn if p < 10) == list(range(10))
    assert len(drawn) == 11


def test_a_segmenter_sees_slices_without_a_tumor_and_a_limit_holds() -> None:
    drawn = _task(ZOO["seg-unet"]).draw(np.random.default_rng(0))
    assert sorted(drawn) == list(range(12))
    assert len(_task(ZOO["seg-unet"], limit=5).draw(np.random.default_rng(0))) == 5


def test_the_loop_trains_one_of_them_with_early_stopping(tmp_path: Path) -> None:
    entry = ZOO["detector-cnn"]
    config = entry.config(Fold()).with_overrides(batch=4, epochs=2, patience=1)
    images = torch.randint(0, 255, (20, 1, SIDE, SIDE), dtype=torch.uint8)
    groups = [f"patient-{n}" for n in range(20)]
    slices = LabelledSlices(images, np.arange(20) % 2, groups, np.ones(20, np.bool_))
    task = ZooClassifierTask(entry.build(), slices, GroupSplit(frozenset(groups), frozenset()), config)
    assert len(task.split.validation) == 2
    history = fit(task, config, tmp_path / "detector.pt", lambda _: None)
    assert [row["epoch"] for row in history][:1] == [1]
    assert all("score" in row for row in history)
    assert (tmp_path / "detector.pt").is_file()


def test_recipes_fit_their_fold_and_their_loss() -> None:
    for entry in ZOO.values():
        config = entry.config(Fold(3, seed=7))
        assert (config.name, config.fold, config.seed) == (entry.name, 3, 7)
        assert entry.note
