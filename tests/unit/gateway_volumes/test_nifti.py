import gzip
from typing import Any

import nibabel
import numpy as np
import pytest

from gateway.imaging.errors import (
    BlankPicture,
    FileTooLarge,
    GeometryUnclear,
    PictureTooSmall,
    UnreadableFile,
    UnsupportedPixels,
    UnsupportedVolume,
    VolumeTooLarge,
)
from gateway.imaging.nifti import NiftiVolume, decode_nifti, is_nifti
from gateway.imaging.volume_limits import VolumeLimits
from service_kit.errors import ServiceError
from tests.unit.gateway_volumes import phantoms
from tests.unit.gateway_volumes.places import affine_of

LIMITS = VolumeLimits()
VOXELS = phantoms.texture()


def decode(content: bytes, limits: VolumeLimits = LIMITS) -> NiftiVolume:
    return decode_nifti(content, limits)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("packed", [False, True])
def test_voxels_and_affine(kind: Any, packed: bool) -> None:
    affine = affine_of((0.9, 1.1, 3.0), (11, -7, 5))
    content = phantoms.nifti(VOXELS, affine, kind=kind)
    found = decode(phantoms.zipped(content) if packed else content)
    assert is_nifti(content)
    assert found.warnings == ()
    assert found.volume.voxels.dtype == np.int16
    assert np.array_equal(found.volume.voxels, VOXELS)
    assert found.volume.voxels.flags.c_contiguous
    assert np.allclose(found.volume.affine, affine, atol=1e-4)
    assert found.volume.grid.oriented


@pytest.mark.parametrize(
    ("stored", "kept"),
    [("u1", "u1"), ("i1", "i2"), ("i2", "i2"), ("u2", "i2"), ("i4", "i2"), ("u4", "i2"), ("f4", "f4"), ("f8", "f4")],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_number_formats(stored: str, kept: str, order: str) -> None:
    values = (VOXELS // 10).astype(order + stored)
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(values.dtype)
    found = decode(nibabel.Nifti1Image(values, affine_of(), header).to_bytes()).volume.voxels
    assert found.dtype == np.dtype(kept)
    assert found.dtype.isnative
    assert np.array_equal(found, values)


def test_integers_beyond_int16_become_real_numbers() -> None:
    found = decode(phantoms.nifti(VOXELS.astype(np.uint16) * 60)).volume.voxels
    assert found.dtype == np.float32
    assert np.array_equal(found, VOXELS.astype(np.float32) * 60)


def test_slope_and_intercept() -> None:
    found = decode(phantoms.nifti(VOXELS, scl_slope=0.5, scl_inter=-20)).volume.voxels
    assert np.allclose(found, VOXELS * 0.5 - 20)
    unscaled = decode(phantoms.nifti(VOXELS, scl_slope=0, scl_inter=99)).volume.voxels
    assert np.array_equal(unscaled, VOXELS)
    with pytest.raises(UnreadableFile, match="intercept"):
        decode(phantoms.nifti(VOXELS, scl_slope=2, scl_inter=np.inf))


def test_one_volume_of_a_time_series_is_a_volume() -> None:
    found = decode(phantoms.nifti(VOXELS[..., np.newaxis]))
    assert found.volume.voxels.shape == VOXELS.shape


def test_not_a_number_is_background_and_said() -> None:
    values = VOXELS.astype(np.float32)
    values[values == 0] = np.nan
    found = decode(phantoms.nifti(values))
    assert np.array_equal(found.volume.voxels, VOXELS)
    assert "are not a number and were taken as 0" in found.warnings[0]
    with pytest.raises(UnsupportedPixels, match="not a number"):
        decode(phantoms.nifti(np.full(VOXELS.shape, np.nan, np.float32)))
    values[3, 3, 3] = np.inf
    with pytest.raises(UnsupportedPixels, match="infinite"):
        decode(phantoms.nifti(values))
    with pytest.raises(UnsupportedPixels, match="infinite"):
        decode(phantoms.nifti(VOXELS * 1e300))


def test_sform_before_qform_before_nothing() -> None:
    shifted = affine_of(origin_mm=(10.0, -40.0, -25.0))
    image = nibabel.Nifti1Image(VOXELS, affine_of())
    image.set_qform(shifted, code=1)
    image.set_sform(affine_of(), code=2)
    both = decode(image.to_bytes())
    assert np.allclose(both.volume.affine, affine_of())
    assert "differ by up to 41.0 voxels; the sform was taken" in both.warnings[0]
    image.set_sform(None, code=0)
    only_qform = decode(image.to_bytes())
    assert np.allclose(only_qform.volume.affine, shifted)
    assert only_qform.warnings == ()
    image.set_qform(None, code=0)
    neither = decode(image.to_bytes())
    assert not neither.volume.grid.oriented
    assert "left and right are unknown" in neither.warnings[0]
    assert np.allclose(neither.volume.affine, nibabel.Nifti1Image.from_bytes(image.to_bytes()).affine)


def test_transforms_that_swap_left_and_right_are_refused() -> None:
    image = nibabel.Nifti1Image(VOXELS, affine_of())
    image.set_sform(affine_of() @ np.diag([-1, 1, 1, 1]), code=1)
    image.set_qform(affine_of(), code=1)
    with pytest.raises(GeometryUnclear, match="LAS by the sform and RAS by the qform"):
        decode(image.to_bytes())


def sheared(degrees: float) -> bytes:
    affine = affine_of()
    affine[0, 2] = np.tan(np.radians(degrees))
    image = nibabel.Nifti1Image(VOXELS, None)
    image.set_sform(affine, code=1)
    return image.to_bytes()


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (phantoms.nifti(VOXELS, magic=b"bad"), UnreadableFile, "magic"),
        (phantoms.analyze(), UnreadableFile, "Analyze"),
        (phantoms.nifti(VOXELS, magic=b"ni1"), UnsupportedVolume, "pair"),
        (phantoms.nifti(VOXELS)[:100], UnreadableFile, "magic"),
        (phantoms.nifti(VOXELS, kind=nibabel.Nifti2Image)[:400], UnreadableFile, "inside its header"),
        (phantoms.nifti(VOXELS, sizeof_hdr=340), UnreadableFile, "340 bytes, not 348"),
        (phantoms.nifti(VOXELS)[:-1], UnreadableFile, "86400 bytes of voxels, 86399 are there"),
        (phantoms.zipped(phantoms.nifti(VOXELS)[:-9]), UnreadableFile, "cut short"),
        (phantoms.zipped(phantoms.nifti(VOXELS))[:-9], UnreadableFile, "gzip"),
        (phantoms.zipped(phantoms.nifti(VOXELS))[:20], UnreadableFile, "gzip"),
        (phantoms.nifti(VOXELS, vox_offset=100), UnreadableFile, "vox_offset is 100"),
        (phantoms.nifti(VOXELS, vox_offset=np.nan), UnreadableFile, "vox_offset"),
        (phantoms.nifti(VOXELS, vox_offset=2.0**31), VolumeTooLarge, "are inflated"),
        (phantoms.nifti(VOXELS, dim=[3, 40, -36, 30, 1, 1, 1, 1]), UnreadableFile, "dimensions"),
        (phantoms.nifti(VOXELS, datatype=77), UnreadableFile, "code 77"),
        (phantoms.nifti(VOXELS, datatype=1), UnsupportedVolume, "mask"),
        (phantoms.nifti(VOXELS.astype(np.complex64)), UnsupportedVolume, "complex"),
        (phantoms.nifti(VOXELS, datatype=128), UnsupportedVolume, "RGB"),
        (phantoms.nifti(np.stack([VOXELS] * 4, axis=-1)), UnsupportedVolume, "4 volumes .* t1, t1ce, t2, flair"),
        (phantoms.nifti(VOXELS[:, :, 0]), PictureTooSmall, "slices"),
        (phantoms.nifti(VOXELS[:8, :8]), PictureTooSmall, "8 x 8 x 30 voxels"),
        (phantoms.nifti(VOXELS, dim=[3, 3000, 16, 16, 1, 1, 1, 1]), VolumeTooLarge, "3000 x 16 x 16"),
        (phantoms.nifti(np.full(VOXELS.shape, 7, np.uint8)), BlankPicture, "1 gray levels"),
        (phantoms.nifti((VOXELS > 0).astype(np.uint8)), BlankPicture, "mask of labels"),
        (phantoms.nifti(VOXELS, xyzt_units=1), GeometryUnclear, "meters"),
        (phantoms.nifti(VOXELS, affine_of((1, 1, 40))), GeometryUnclear, "spacing of 40 mm"),
        (phantoms.nifti(VOXELS, srow_x=[np.nan] * 4), GeometryUnclear, "sform"),
        (phantoms.nifti(VOXELS, srow_x=[1, 1, 0, 0], srow_y=[0] * 4), GeometryUnclear, "lays two axes into one"),
        (phantoms.nifti(VOXELS, sform_code=0, qform_code=1, quatern_b=3.0), GeometryUnclear, "no rotation"),
        (sheared(10), GeometryUnclear, "10.0 degrees off"),
    ],
)
def test_refused_with_a_reason(content: bytes, error: type[ServiceError], says: str) -> None:
    with pytest.raises(error, match=says):
        decode(content)


def test_a_wrong_checksum_is_found() -> None:
    content = bytearray(phantoms.zipped(phantoms.nifti(VOXELS)))
    content[-8] ^= 0xFF
    with pytest.raises(UnreadableFile, match="gzip"):
        decode(bytes(content))


def test_bombs_are_refused_on_their_header() -> None:
    with pytest.raises(VolumeTooLarge, match="2000 x 2000 x 2000"):
        decode(phantoms.nifti_bomb())
    with pytest.raises(VolumeTooLarge, match="bytes follow"):
        decode(phantoms.gzip_bomb(8 * 2**20))
    with pytest.raises(FileTooLarge):
        decode(phantoms.nifti(VOXELS), VolumeLimits(max_file_bytes=1000))


def test_what_follows_the_voxels_is_said() -> None:
    found = decode(phantoms.nifti(VOXELS) + b"junk")
    assert found.warnings == ("4 bytes follow the voxels of the NIfTI file; they were not read.",)
    assert np.array_equal(found.volume.voxels, VOXELS)


def test_gzip_of_several_members() -> None:
    content = phantoms.nifti(VOXELS)
    parts = b"".join(gzip.compress(content[at : at + 30_000]) for at in range(0, len(content), 30_000))
    assert np.array_equal(decode(parts).volume.voxels, VOXELS)


def test_small_shear_and_extensions_are_taken() -> None:
    assert decode(sheared(1)).volume.grid.shear_deg == pytest.approx(1, abs=0.01)
    image = nibabel.Nifti1Image(VOXELS, affine_of())
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Secret^Name"))
    image.header["descrip"] = b"Secret^Name"
    found = decode(image.to_bytes())
    assert np.array_equal(found.volume.voxels, VOXELS)
    assert "Secret" not in repr(found)


def test_other_files_are_no_nifti() -> None:
    assert not is_nifti(b"")
    assert not is_nifti(gzip.compress(b"hello"))
    assert not is_nifti(b"PK\x03\x04" + bytes(600))
