"""The 3D networks on made cases: data, architectures, export, a training step, a training that was stopped."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from model_export.architectures.attention_unet3d import AttentionGate3d, AttentionUNet3d
from model_export.architectures.batchnorm import fold_batchnorm
from model_export.architectures.unet3d import STRIDE, UNet3d
from model_export.datasets.brats import brats_cases, brats_split, case_input, grid_cases, grid_labels, truth_of
from model_export.datasets.film_set import film_split
from model_export.datasets.split import Fold
from model_export.engine import OnnxModel
from model_export.export.networks import NETWORKS, example_inputs
from model_export.export.onnx_graph import export_network
from model_export.training.brats3d import Brats3dTask, build_network
from model_export.training.loop import fit, load_checkpoint
from model_export.training.losses import region_dice_bce
from model_export.training.volume_augmentation import VolumeAugmentation, drop_sequences
from model_export.training.volume_config import VOLUME_CONFIGS, VolumeConfig
from model_export.verify import compare
from service_kit.inference.tumor_regions import regions_of
from service_kit.inference.volume import VolumePreprocessing
from tests.models.made_volumes import SHAPE, made_labels, write_brats

NAMES = tuple(f"case-{number}" for number in range(5))
CONFIG = VolumeConfig(name="unet3d", size=32, epochs=2, batch=2, rate=3e-3, limit=2, ema_decay=0.5, missing_share=0.3)
SMALL = (8, 12, 16, 16, 16)


@pytest.fixture(scope="module")
def made_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("brats")
    write_brats(root, NAMES)
    return root


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _lively(network: nn.Module) -> nn.Module:
    """Running statistics that are not the identity, as after a training."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d) and module.running_mean is not None and module.running_var is not None:
            module.running_mean.uniform_(-0.3, 0.3)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


def test_every_case_is_tested_once_and_no_case_on_two_sides(made_root: Path) -> None:
    splits = [brats_split(made_root, Fold(index)) for index in range(5)]
    assert sorted(name for split in splits for name in split.test) == sorted(NAMES)
    assert all(not split.train & split.test for split in splits)
    assert brats_split(made_root, Fold(None)).train == frozenset(NAMES)


def test_the_folds_are_those_of_the_slices_network(sets: Path) -> None:
    for index in range(5):
        assert brats_split(sets, Fold(index)).test <= film_split(sets, Fold(index)).test


def test_a_case_is_cached_on_the_networks_grid(made_root: Path, tmp_path: Path) -> None:
    preprocessing = VolumePreprocessing(patch_voxels=32)
    first = grid_cases(brats_cases(made_root), preprocessing, tmp_path)
    stamps = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    again = grid_cases(brats_cases(made_root), preprocessing, tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")} == stamps
    assert [case.name for case in first] == list(NAMES)
    np.testing.assert_array_equal(first[0].volume, again[0].volume)
    assert first[0].volume.dtype == np.float16
    assert first[0].volume.shape[1:] == first[0].labels.shape == tuple(size - 6 for size in SHAPE)


def test_labels_on_a_coarser_grid_keep_their_volume(made_root: Path) -> None:
    case = brats_cases(made_root)[0]
    truth = truth_of(case)
    _, _, placement = case_input(case, VolumePreprocessing(patch_voxels=32, spacing_mm=1.5))
    coarse = grid_labels(truth, placement)
    assert coarse.shape == placement.grid
    assert float((coarse > 0).sum()) * 1.5**3 == pytest.approx(float((truth > 0).sum()), rel=0.05)


def test_a_set_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--data"):
        brats_cases(tmp_path)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("kind", [UNet3d, AttentionUNet3d])
def test_networks_answer_three_regions_a_voxel(kind: type[UNet3d], residual: bool) -> None:
    network = kind(residual=residual, widths=SMALL)
    fine, coarse = network.both_logits(torch.randn(2, 4, 32, 64, 32), torch.ones(2, 4))
    assert fine.shape == (2, 3, 32, 64, 32)
    assert coarse.shape == (2, 3, 8, 16, 8)
    (fine.mean() + coarse.mean()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_the_flags_matter() -> None:
    torch.manual_seed(0)
    network = _lively(UNet3d(widths=SMALL))
    volume, flags = torch.zeros(1, 4, STRIDE, STRIDE, STRIDE), torch.tensor([[1.0, 0.0, 1.0, 1.0]])
    assert not torch.equal(network(volume, torch.ones(1, 4)), network(volume, flags))


def test_a_gate_weighs_the_map_between_nothing_and_all() -> None:
    gate = AttentionGate3d(8, 16)
    skip = torch.rand(1, 8, 8, 8, 8)
    weighted = gate(skip, torch.randn(1, 16, 4, 4, 4))
    assert bool((weighted <= skip).all())
    assert bool((weighted > 0.5 * skip).all())  # open at first


def test_batch_norms_fold_into_3d_convolutions() -> None:
    torch.manual_seed(1)
    network = _lively(AttentionUNet3d(residual=True, widths=SMALL))
    volume, flags = torch.randn(1, 4, 32, 32, 32), torch.ones(1, 4)
    expected = network(volume, flags)
    folded = fold_batchnorm(network)
    assert not [module for module in folded.modules() if isinstance(module, nn.BatchNorm3d)]
    torch.testing.assert_close(folded(volume, flags), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", list(VOLUME_CONFIGS))
def test_the_exported_graph_agrees_with_the_network(name: str, tmp_path: Path) -> None:
    torch.manual_seed(11)
    network = _lively(NETWORKS[name].build())
    reference, path = copy.deepcopy(network), tmp_path / "model.onnx"
    export_network(network, example_inputs(name, 32, 2), path)
    parity = compare(reference, path, [example_inputs(name, 32, count, count) for count in (1, 3)])
    assert parity.passed, parity
    assert {spec.name: spec.shape for spec in OnnxModel(path).inputs()} == {
        "volume": (-1, 4, 32, 32, 32),
        "present": (-1, 4),
    }


def test_the_loss_is_small_where_the_regions_are_right() -> None:
    regions = torch.from_numpy(regions_of(made_labels()).astype(np.float32))[None]
    right = float(region_dice_bce(regions * 40 - 20, regions))
    wrong = float(region_dice_bce(20 - regions * 40, regions))
    assert right == pytest.approx(0.0, abs=1e-3)
    assert wrong > 10


def test_a_few_steps_on_one_case_lower_the_loss(made_root: Path, tmp_path: Path) -> None:
    torch.manual_seed(2)
    task = Brats3dTask(made_root, tmp_path, CONFIG)
    task.network.train()
    optimizer = torch.optim.AdamW(task.network.parameters(), 3e-3)
    losses = []
    for _ in range(12):
        loss = task.loss(np.array([0, 0]), torch.Generator().manual_seed(3))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-3:]) < 0.8 * losses[0]


def test_patches_lie_around_the_tumor_more_often_than_not(made_root: Path, tmp_path: Path) -> None:
    around = Brats3dTask(made_root, tmp_path, CONFIG.with_overrides(foreground_share=1.0))
    anywhere = Brats3dTask(made_root, tmp_path, CONFIG.with_overrides(foreground_share=0.0))
    generator = torch.Generator().manual_seed(0)
    around.size = anywhere.size = 8
    seen = [float(around._patch(0, generator)[1].amax()) for _ in range(20)]
    missed = [float(anywhere._patch(0, generator)[1].amax()) for _ in range(20)]
    assert np.mean(seen) == 1.0
    assert np.mean(missed) < 0.9


def test_an_epoch_takes_every_case_as_often(made_root: Path, tmp_path: Path) -> None:
    task = Brats3dTask(made_root, tmp_path, CONFIG.with_overrides(limit=8))
    drawn = task.draw(np.random.default_rng(0))
    assert np.bincount(drawn, minlength=4).tolist() == [2, 2, 2, 2]


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not(made_root: Path, tmp_path: Path) -> None:
    def run(name: str, stop: bool = False) -> list[dict[str, float]]:
        torch.manual_seed(CONFIG.seed)
        task = Brats3dTask(made_root, tmp_path / "cache", CONFIG)
        told: list[str] = []

        def report(line: str) -> None:
            told.append(line)
            if stop and len(told) == 2:  # the first epoch was kept
                raise InterruptedError

        return fit(task, CONFIG, tmp_path / name, report)

    whole = run("whole.pt")
    with pytest.raises(InterruptedError):
        run("cut.pt", stop=True)
    resumed = run("cut.pt")
    assert len(resumed) == CONFIG.epochs
    assert [row["loss"] for row in resumed] == [row["loss"] for row in whole]
    state, config, _ = load_checkpoint(tmp_path / "cut.pt")
    assert config == CONFIG
    build_network(CONFIG).load_state_dict(state)


def test_a_validation_score_is_asked_for_with_patience(made_root: Path, tmp_path: Path) -> None:
    write_brats(tmp_path / "more", [f"m{number}" for number in range(14)])
    task = Brats3dTask(tmp_path / "more", tmp_path / "cache", CONFIG.with_overrides(patience=1))
    assert len(task.split.validation) == 1
    assert 0.0 <= task.score(task.network.eval()) < 0.5


def test_augmentation_moves_regions_with_the_volume_and_keeps_the_background() -> None:
    regions = torch.from_numpy(regions_of(made_labels()).astype(np.float32))[:, :32, :32, :32]
    volume = regions[:1].repeat(4, 1, 1, 1) * 3.0
    still = VolumeAugmentation(
        turned_share=1.0, gamma=0, contrast=0, brightness=0, bias_share=0, noise_share=0, blur_share=0
    )
    moved, of_regions = still.apply(volume, regions, torch.Generator().manual_seed(4))
    assert not torch.equal(of_regions, regions)
    assert float(((moved[0] > 1.5) == (of_regions[0] > 0.5)).float().mean()) > 0.99
    loud = VolumeAugmentation(turned_share=0, mirror_share=0, bias_share=1, noise_share=1, blur_share=1)
    changed, same = loud.apply(volume, regions, torch.Generator().manual_seed(5))
    assert torch.equal(same, regions)
    assert not changed[volume == 0].any()
    assert not torch.equal(changed, volume)
    assert bool(torch.isfinite(changed).all())


def test_sequences_go_missing_but_never_all() -> None:
    generator = torch.Generator().manual_seed(6)
    flags = torch.stack([drop_sequences(4, 0.5, generator) for _ in range(400)])
    assert float(flags.sum(dim=1).min()) >= 1
    assert 0.4 < float((flags.sum(dim=1) < 4).float().mean()) < 0.6
    assert bool((drop_sequences(4, 0.0, generator) == 1).all())


def test_the_recipes_differ_in_the_network_alone() -> None:
    plain, attention = (VOLUME_CONFIGS[name].model_dump(exclude={"name"}) for name in ("unet3d", "attention-unet3d"))
    assert plain == attention
    assert type(build_network(VOLUME_CONFIGS["attention-unet3d"])) is AttentionUNet3d
    assert VOLUME_CONFIGS["unet3d"].size % STRIDE == 0
