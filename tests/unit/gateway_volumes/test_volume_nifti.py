import gzip

import nibabel
import numpy as np
import pytest

from gateway.grid import Grid
from gateway.imaging.nifti import decode_nifti
from gateway.imaging.volume_limits import VolumeLimits
from gateway.reporting.volume_nifti import encode_mask, encode_shown
from tests.unit.gateway_volumes import phantoms
from tests.unit.gateway_volumes.places import ORIENTATIONS, affine_of, stored_as


@pytest.mark.parametrize("codes", ORIENTATIONS)
@pytest.mark.parametrize("degrees", [(0.0, 0.0, 0.0), (18.0, -11.0, 27.0)])
def test_a_sentinel_comes_back_where_it_was(codes: str, degrees: tuple[float, float, float]) -> None:
    """Marks known in the patient -> NIfTI in any orientation -> our volume -> a mask of them -> read by nibabel."""
    voxels, marks = phantoms.sentinels()
    affine = affine_of((1.0, 1.25, 2.0), degrees)
    stored, stored_affine = stored_as(codes, voxels, affine)
    volume = decode_nifti(phantoms.zipped(phantoms.nifti(stored, stored_affine)), VolumeLimits()).volume
    # The mask is made where a model works, on the canonical view, and goes back through the turn.
    labels = np.where(volume.canonical >= 900, volume.canonical - 899, 0).astype(np.uint8)
    mask = nibabel.Nifti1Image.from_bytes(gzip.decompress(encode_mask(volume.grid.turn.undo(labels), volume.grid)))
    assert mask.shape == stored.shape
    assert mask.get_data_dtype() == np.uint8
    assert np.allclose(mask.affine, stored_affine, atol=1e-4)
    found = np.asarray(mask.dataobj)
    for label, index in enumerate(marks.values(), start=1):
        place_mm = nibabel.affines.apply_affine(mask.affine, np.argwhere(found == label)[0])
        assert np.allclose(place_mm, nibabel.affines.apply_affine(affine, index), atol=1e-3)
    assert np.count_nonzero(found) == len(marks)


def test_codes_units_and_reproducible_bytes() -> None:
    labels = (phantoms.texture() > 500).astype(np.uint8)
    grid = Grid(phantoms.SHAPE, affine_of((1, 1, 3), (5, 6, 7)))
    content = encode_mask(labels, grid)
    assert content == encode_mask(np.asfortranarray(labels), grid)
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(content))
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (1, 1)
    assert np.allclose(image.get_qform(), image.get_sform(), atol=1e-4)
    assert image.header.get_xyzt_units()[0] == "mm"
    assert image.header.get_zooms() == pytest.approx((1, 1, 3))


def test_a_sheared_grid_has_an_sform_alone() -> None:
    affine = affine_of()
    affine[0, 2] = 0.03
    image = nibabel.Nifti1Image.from_bytes(
        gzip.decompress(encode_mask(np.ones(phantoms.SHAPE, np.uint8), Grid(phantoms.SHAPE, affine)))
    )
    assert int(image.header["qform_code"]) == 0
    assert np.allclose(image.affine, affine, atol=1e-6)


def test_an_input_without_orientation_gets_a_mask_without_one() -> None:
    image = nibabel.Nifti1Image(phantoms.texture(), affine_of((1, 2, 3)))
    image.set_sform(None, code=0)
    image.set_qform(None, code=0)
    volume = decode_nifti(image.to_bytes(), VolumeLimits()).volume
    mask = nibabel.Nifti1Image.from_bytes(
        gzip.decompress(encode_mask((volume.voxels > 500).astype(np.uint8), volume.grid))
    )
    assert np.allclose(mask.affine, nibabel.Nifti1Image.from_bytes(image.to_bytes()).affine)
    assert (int(mask.header["sform_code"]), int(mask.header["qform_code"])) == (0, 0)


def test_a_sequence_lies_where_the_mask_does_and_tells_how_to_show_it() -> None:
    shown = (phantoms.texture() % 256).astype(np.uint8)
    for oriented in (True, False):
        grid = Grid(phantoms.SHAPE, affine_of((1, 1.25, 3), (5, 6, 7)), oriented=oriented)
        content = encode_shown(shown, grid)
        assert content == encode_shown(np.asfortranarray(shown), grid)
        image, mask = (
            nibabel.Nifti1Image.from_bytes(gzip.decompress(file)) for file in (content, encode_mask(shown, grid))
        )
        assert image.get_data_dtype() == np.uint8
        np.testing.assert_array_equal(np.asarray(image.dataobj), shown)
        for place in ("sform_code", "qform_code", "srow_x", "srow_y", "srow_z", "pixdim", "xyzt_units"):
            np.testing.assert_array_equal(image.header[place], mask.header[place])
        assert (float(image.header["cal_min"]), float(image.header["cal_max"])) == (0, 255)


def test_a_mask_of_another_shape_is_an_error() -> None:
    with pytest.raises(ValueError, match="not on the grid"):
        encode_mask(np.zeros((3, 3, 3), np.uint8), Grid((3, 3, 4), np.eye(4)))
    with pytest.raises(ValueError, match="not on the grid"):
        encode_shown(np.zeros((3, 3, 3), np.uint8), Grid((3, 3, 4), np.eye(4)))
