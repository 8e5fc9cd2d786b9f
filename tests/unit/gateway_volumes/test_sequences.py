import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.imaging.contrast import check_contrast
from gateway.imaging.sequence_names import read_name
from service_kit.contracts.common import Sequence


@pytest.mark.parametrize(
    ("filename", "read"),
    [
        ("BraTS20_Training_001_t1.nii.gz", "t1"),
        ("BraTS20_Training_001_t1ce.nii.gz", "t1ce"),
        ("BraTS20_Training_001_t2.nii", "t2"),
        ("BraTS20_Training_001_flair.nii.gz", "flair"),
        ("BraTS20_Training_001_seg.nii.gz", "mask"),
        ("BraTS-GLI-00000-000-t1n.nii.gz", "t1"),
        ("BraTS-GLI-00000-000-t1c.nii.gz", "t1ce"),
        ("BraTS-GLI-00000-000-t2w.nii.gz", "t2"),
        ("BraTS-GLI-00000-000-t2f.nii.gz", "flair"),
        ("sub-01_T1w.nii.gz", "t1"),
        ("sub-01_ce-gadolinium_T1w.nii.gz", "t1ce"),
        ("sub-01_FLAIR.nii.gz", "flair"),
        ("T2_FLAIR.nii", "flair"),
        ("t1_post.nii.gz", "t1ce"),
        ("T1Gd.nii.gz", "t1ce"),
        ("t1_pre_contrast.nii.gz", "t1"),
        ("C:\\t1\\scan.nii.gz", None),
        ("/t2/volume.nii.gz", None),
        ("scan.nii.gz", None),
        ("BrainT2.nii.gz", None),
        ("t2star.nii.gz", None),
        ("brain_mask.nii.gz", "mask"),
        ("", None),
    ],
)
def test_file_names(filename: str, read: str | None) -> None:
    assert read_name(filename) == read


def brain(seed: int = 0) -> dict[Sequence, NDArray[np.float32]]:
    """A brain without skull in four sequences: white and gray matter, fluid, edema, an enhancing rim."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, 48),) * 3, indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2)
    inside, white = radius < 0.85, radius < 0.6
    fluid = (np.abs(x) < 0.1) & (np.abs(z) < 0.25) & (np.abs(y) < 0.3) | (radius > 0.8)
    away = np.sqrt((x - 0.35) ** 2 + (y - 0.2) ** 2 + z**2)
    edema, rim = away < 0.3, (away < 0.2) & (away > 0.1)
    # Levels of gray matter, white matter, fluid, edema, rim.
    levels: dict[Sequence, tuple[float, ...]] = {
        "t1": (60, 90, 25, 55, 60),
        "t1ce": (60, 85, 25, 55, 200),
        "t2": (80, 55, 220, 130, 110),
        "flair": (90, 70, 25, 170, 140),
    }
    noise = np.random.default_rng(seed)
    volumes: dict[Sequence, NDArray[np.float32]] = {}
    for name, (gray, whitish, liquid, swollen, enhancing) in levels.items():
        values = np.select([fluid, rim, edema, white], [liquid, enhancing, swollen, whitish], gray)
        values = np.maximum(values + noise.normal(0, 4, values.shape), 1)
        volumes[name] = np.where(inside, values, 0).astype(np.float32)
    return volumes


def exchanged(first: Sequence, second: Sequence) -> dict[Sequence, NDArray[np.float32]]:
    volumes = brain()
    return {**volumes, first: volumes[second], second: volumes[first]}


def test_rightly_named_sequences_raise_no_doubt() -> None:
    volumes = brain()
    assert check_contrast(volumes) == ()
    assert check_contrast({"flair": volumes["flair"]}) == ()
    assert check_contrast({"t1": volumes["t1"], "flair": volumes["flair"]}) == ()


@pytest.mark.parametrize(
    ("first", "second"), [("t1", "t1ce"), ("t1", "t2"), ("t1ce", "t2"), ("t2", "flair"), ("t1ce", "flair")]
)
def test_exchanged_sequences_are_doubted(first: Sequence, second: Sequence) -> None:
    warnings = check_contrast(exchanged(first, second))
    assert warnings
    assert all("fit better the other way round" in warning for warning in warnings)


def test_a_head_with_noise_around_it_is_not_judged() -> None:
    noise = np.random.default_rng(1)
    volumes = {
        name: values + noise.uniform(1, 5, values.shape).astype(np.float32)
        for name, values in exchanged("t1", "t2").items()
    }
    assert check_contrast(volumes) == ()
