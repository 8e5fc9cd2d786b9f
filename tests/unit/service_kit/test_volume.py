import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from service_kit.inference.tumor_regions import label_map, regions_of
from service_kit.inference.volume import VolumePreprocessing, foreground_of, resample

ORDER = ("t1", "t1ce", "t2", "flair")
MM = (1.0, 1.0, 1.0)


def brain(shape: tuple[int, int, int] = (30, 36, 24), margin: int = 5, seed: int = 0) -> NDArray[np.float32]:
    """Values around 100 in a box, nothing around it."""
    volume = np.zeros(shape, np.float32)
    inner = tuple(slice(margin, size - margin) for size in shape)
    volume[inner] = np.random.default_rng(seed).normal(100, 15, volume[inner].shape).clip(30, None)
    return volume


def test_each_sequence_is_standardized_over_the_foreground() -> None:
    sequences = {"t1": brain(), "flair": brain(seed=1) * 7}
    volume, present, placement = VolumePreprocessing(patch_voxels=16).apply(sequences, ORDER, MM)
    assert present.tolist() == [1, 0, 0, 1]
    assert placement.start == (5, 5, 5)
    assert placement.stop == (25, 31, 19)
    assert volume.shape == (4, 20, 26, 14)
    assert not volume[[1, 2]].any()
    for channel in (0, 3):
        assert float(volume[channel].mean()) == pytest.approx(0.0, abs=1e-4)
        assert float(volume[channel].std()) == pytest.approx(1.0, abs=1e-3)


def test_scale_and_offset_of_the_scanner_change_nothing() -> None:
    plain, _, _ = VolumePreprocessing(patch_voxels=16).apply({"t1": brain()}, ("t1",), MM)
    other, _, _ = VolumePreprocessing(patch_voxels=16).apply({"t1": brain() * 40 - 900}, ("t1",), MM)
    np.testing.assert_allclose(plain, other, atol=1e-4)


def test_what_is_put_back_lies_where_it_was() -> None:
    sequences = {"t1": brain((40, 30, 30))}
    sequences["t1"][20:23, 10:13, 15:18] = 400.0
    for spacing in (1.0, 1.5, 2.0):
        preprocessing = VolumePreprocessing(patch_voxels=16, spacing_mm=spacing)
        volume, _, placement = preprocessing.apply(sequences, ("t1",), MM)
        back = placement.restore(volume[0])
        assert back.shape == (40, 30, 30)
        assert not back[:5].any()
        np.testing.assert_array_equal(back[placement.box], placement.restore_box(volume[0]))
        peak = np.unravel_index(int(back.argmax()), back.shape)
        assert all(abs(at - wanted) <= 1 for at, wanted in zip(peak, (21, 11, 16), strict=True))


def test_at_the_volumes_own_spacing_nothing_is_resampled() -> None:
    volume, _, placement = VolumePreprocessing(patch_voxels=16).apply({"t1": brain()}, ("t1",), MM)
    np.testing.assert_array_equal(placement.restore(volume[0])[placement.box], volume[0])


def test_anisotropic_voxels_become_cubes() -> None:
    volume, _, placement = VolumePreprocessing(patch_voxels=16).apply({"t1": brain()}, ("t1",), (1.0, 0.5, 3.0))
    assert volume.shape[1:] == placement.grid == (20, 13, 42)
    assert placement.restore(volume[0]).shape == (30, 36, 24)


@pytest.mark.parametrize("ratio", [0.4, 1.0, 1.5, 2.0, 3.3])
def test_resampling_keeps_constants_and_straight_lines(ratio: float) -> None:
    shape = (int(30 / ratio), 4, 4)
    ramp = np.broadcast_to(np.arange(30, dtype=np.float32)[:, None, None], (30, 4, 4)).copy()
    found = resample(ramp, shape, (ratio, 1.0, 1.0))
    inner = slice(int(2 / ratio) + 1, shape[0] - int(2 / ratio) - 1)
    expected = (np.arange(shape[0]) + 0.5) * ratio - 0.5
    np.testing.assert_allclose(found[inner, 1, 1], expected[inner], rtol=0.02, atol=0.05)
    np.testing.assert_allclose(resample(np.ones((30, 4, 4), np.float32), shape, (ratio, 1.0, 1.0)), 1.0, rtol=1e-6)


def test_the_background_may_have_any_value() -> None:
    expected = brain() > 0
    for background in (0.0, -1000.0, 37.0):
        shifted = np.where(expected, brain(), np.float32(background))
        assert (foreground_of(shifted) == expected).mean() > 0.99


def test_a_blank_volume_is_taken_whole() -> None:
    volume, _, placement = VolumePreprocessing(patch_voxels=16).apply({"t1": np.zeros((8, 9, 10))}, ("t1",), MM)
    assert placement.grid == (8, 9, 10)
    assert not volume.any()


def test_volumes_that_cannot_be_read_are_refused() -> None:
    preprocessing = VolumePreprocessing(patch_voxels=16)
    with pytest.raises(ValueError, match="none of t1"):
        preprocessing.apply({"dwi": brain()}, ORDER, MM)
    with pytest.raises(ValueError, match="one grid"):
        preprocessing.apply({"t1": brain(), "t2": brain((30, 36, 25))}, ORDER, MM)
    with pytest.raises(ValidationError):
        VolumePreprocessing(patch_voxels=16, step=0)


def test_labels_and_regions_are_each_others_inverse() -> None:
    labels = np.random.default_rng(0).integers(0, 4, (5, 6, 7), dtype=np.uint8)
    np.testing.assert_array_equal(label_map(regions_of(labels)), labels)
    assert regions_of(np.array([4])).all()
    assert regions_of(np.array([0, 1, 2, 3])).sum(axis=1).tolist() == [3, 2, 1]


def test_regions_that_are_not_nested_are_cut_to_the_larger_one() -> None:
    assert label_map(np.array([[False], [True], [True]])).tolist() == [0]
    assert label_map(np.array([[True], [False], [True]])).tolist() == [2]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_the_foreground_is_that_of_the_whole_volume_at_once(dtype: type[np.generic]) -> None:
    voxels = (brain() * 1.3).astype(dtype)
    faces = np.concatenate([voxels.take(end, axis).ravel() for axis in range(3) for end in (0, -1)])
    low, high = np.percentile(voxels[::3, ::3, ::3], (0.5, 99.5))
    whole = np.abs(voxels.astype(np.float32) - float(np.median(faces))) > 0.02 * (high - low)
    np.testing.assert_array_equal(foreground_of(voxels), whole)


def test_what_is_sent_is_left_as_it_was() -> None:
    sequences = {"t1": brain(), "flair": brain(seed=1)}
    before = {name: voxels.copy() for name, voxels in sequences.items()}
    VolumePreprocessing(patch_voxels=16).apply(sequences, ORDER, MM)
    for name, voxels in sequences.items():
        np.testing.assert_array_equal(voxels, before[name])
