import gzip
import random
import time
from collections.abc import Callable
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.imaging.errors import (
    GeometryUnclear,
    NotMr,
    PictureTooSmall,
    SeriesConflict,
    UnreadableFile,
    UnsupportedVolume,
    VolumeTooLarge,
)
from gateway.imaging.series import Series, decode_series
from gateway.imaging.volume_limits import VolumeLimits
from gateway.reporting.volume_nifti import encode_mask
from service_kit.errors import ServiceError
from tests.unit.gateway_imaging import pictures
from tests.unit.gateway_volumes import phantoms
from tests.unit.gateway_volumes.dicom_series import enhanced, frames_of, series, short
from tests.unit.gateway_volumes.places import affine_of

LIMITS = VolumeLimits()
SHAPE = (40, 36, 20)
VOXELS = phantoms.texture(SHAPE)
AFFINE = affine_of((1.0, 1.25, 2.0), (7.0, -9.0, 12.0))
SERIES = series(VOXELS, AFFINE)


def one(files: list[bytes]) -> Series:
    found, warnings = decode_series(files, LIMITS)
    assert len(found) == 1
    assert warnings == ()
    return found[0]


def in_patient(found: Series, voxels: NDArray[Any] = VOXELS, affine: NDArray[np.float64] = AFFINE) -> None:
    """Every voxel of the RAS array is found at its own place of the patient."""
    grid = found.volume.grid
    canonical = found.volume.canonical
    assert canonical.shape == voxels.shape
    assert np.allclose(canonical, voxels, atol=1e-3)
    assert np.allclose(grid.canonical.affine, affine, atol=1e-4)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("degrees", [(0.0, 0.0, 0.0), (7.0, -9.0, 12.0)])
def test_a_shuffled_series_is_sorted_by_position(plane: str, degrees: tuple[float, float, float]) -> None:
    affine = affine_of((1.0, 1.25, 2.0), degrees)
    files = series(VOXELS, affine, plane)
    random.Random(plane).shuffle(files)
    found = one(files)
    assert found.warnings == ()
    assert found.volume.voxels.dtype == np.int16
    assert found.volume.grid.planes[2] == plane
    in_patient(found, VOXELS, affine)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("form", [series, enhanced])
def test_a_sentinel_comes_back_where_it_was(plane: str, form: Callable[..., Any]) -> None:
    """Marks known in the patient -> shuffled DICOM -> our volume -> a mask of them -> read by nibabel."""
    voxels, marks = phantoms.sentinels(SHAPE)
    made = form(voxels, AFFINE, plane)
    files = [made] if isinstance(made, bytes) else made
    random.Random(3).shuffle(files)
    volume = one(files).volume
    labels = np.where(volume.canonical >= 900, volume.canonical - 899, 0).astype(np.uint8)
    mask = nibabel.Nifti1Image.from_bytes(gzip.decompress(encode_mask(volume.grid.turn.undo(labels), volume.grid)))
    found = np.asarray(mask.dataobj)
    for label, index in enumerate(marks.values(), start=1):
        place_mm = nibabel.affines.apply_affine(mask.affine, np.argwhere(found == label)[0])
        assert np.allclose(place_mm, nibabel.affines.apply_affine(AFFINE, index), atol=1e-3)


def test_an_enhanced_object_with_frames_in_any_order_and_their_own_scaling() -> None:
    order = random.Random(1).sample(range(SHAPE[2]), SHAPE[2])
    in_patient(one([enhanced(VOXELS, AFFINE, order=order)]))
    slopes = [1.0 + number / 10 for number in range(SHAPE[2])]
    in_patient(one([enhanced(VOXELS, AFFINE, order=order, slopes=slopes)]), VOXELS * np.array(slopes))


def test_a_series_of_two_enhanced_objects() -> None:
    halves = [enhanced(VOXELS, AFFINE, order=range(start, SHAPE[2], 2)) for start in (1, 0)]
    in_patient(one(halves))


def test_rescaled_inverted_and_signed_values() -> None:
    in_patient(one(series(VOXELS, AFFINE, RescaleSlope="0.5", RescaleIntercept="10")), VOXELS * 0.5 + 10)
    inverted = one(series(int(VOXELS.max()) - VOXELS, AFFINE, PhotometricInterpretation="MONOCHROME1"))
    in_patient(inverted)
    in_patient(one(series(VOXELS - 500, AFFINE)), VOXELS - 500)


def test_header_and_body_part_are_read() -> None:
    found = one(series(VOXELS, AFFINE, SeriesDescription="AX T2 FLAIR", BodyPartExamined="KNEE"))
    assert (found.sequence, found.body_part) == ("flair", "KNEE")
    assert "KNEE" in found.warnings[0]
    assert "Secret" not in repr(found)


def test_a_missing_slice_is_filled_and_said() -> None:
    found = one(SERIES[:9] + SERIES[10:])
    assert found.warnings == ("1 of 20 slices are missing (after slice 9); they were filled from their neighbors.",)
    canonical = found.volume.canonical
    assert canonical.shape == SHAPE
    expected = VOXELS.astype(np.float32)
    expected[:, :, 9] = (expected[:, :, 8] + expected[:, :, 10]) / 2
    assert np.allclose(canonical, expected, atol=1e-3)


def test_too_many_missing_slices_are_refused() -> None:
    with pytest.raises(SeriesConflict, match=r"3 of 20 slices are missing \(after slice 4\), up to 3 in a row"):
        decode_series(SERIES[:4] + SERIES[7:], LIMITS)
    with pytest.raises(SeriesConflict, match="3 of 20 slices are missing"):
        decode_series(SERIES[:3] + SERIES[4:8] + SERIES[9:13] + SERIES[14:], LIMITS)


def test_every_second_slice_missing_is_told_by_the_header() -> None:
    found = one(SERIES[::2])
    assert "The header says 2.00 mm between slices; their positions are 4.00 mm apart" in found.warnings[0]


def test_repeated_slices_are_dropped_and_said() -> None:
    found = one(SERIES + SERIES[3:5])
    assert found.warnings == ("2 slices came twice; one of each was taken.",)
    in_patient(found)


def test_two_pictures_at_one_position_are_refused() -> None:
    echoes = SERIES + series(VOXELS + 5, AFFINE, EchoTime=90)
    with pytest.raises(SeriesConflict, match="20 of 20 positions have 2 different pictures"):
        decode_series(echoes, LIMITS)


def test_a_localizer_is_refused_and_left_out_beside_a_series() -> None:
    planes = ("axial", "coronal", "sagittal")
    scout = [series(VOXELS, affine_of(), plane, SeriesInstanceUID="1.2.3")[5] for plane in planes]
    square = [pictures.dicom(phantoms.texture((36, 36, 1))[:, :, 0], **where) for where in wheres(planes)]
    with pytest.raises(SeriesConflict, match="differ in size"):
        decode_series(scout, LIMITS)
    with pytest.raises(SeriesConflict, match=r"several orientations \(1 axial, 1 coronal, 1 sagittal\)"):
        decode_series(square, LIMITS)
    found, warnings = decode_series(scout + SERIES, LIMITS)
    in_patient(found[0])
    assert warnings[0].startswith("1 of 2 series were left out (1 series_conflict).")


def wheres(planes: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{**frames_of(VOXELS, affine_of(), plane)[1][5], "PixelSpacing": [1, 1]} for plane in planes]


def test_several_series_are_several_volumes() -> None:
    other = series(VOXELS // 2, AFFINE, SeriesInstanceUID="1.2.4", SeriesDescription="t1")
    found, warnings = decode_series(SERIES + other, LIMITS)
    assert warnings == ()
    assert [one.sequence for one in found] == [None, "t1"]
    in_patient(found[1], VOXELS // 2)
    assert found[0].frame_of_reference == found[1].frame_of_reference
    broken = [series(VOXELS, AFFINE, SeriesInstanceUID=uid, ImagePositionPatient=None)[0] for uid in ("1.2.5", "1.2.6")]
    with pytest.raises(SeriesConflict, match=r"None of the 2 series makes a volume\. 2 of them: 1 of 1 slices do not"):
        decode_series(broken, LIMITS)


def test_other_files_are_left_out_and_counted() -> None:
    found, warnings = decode_series([pictures.dicom(Modality="CT"), *SERIES, b"junk" * 100], LIMITS)
    in_patient(found[0])
    assert warnings[0].startswith("2 of 22 files were left out (2 not_mr)")
    with pytest.raises(NotMr):
        decode_series([pictures.dicom(Modality="CT")], LIMITS)


def test_a_damaged_slice_is_refused() -> None:
    with pytest.raises(UnreadableFile):
        decode_series([SERIES[0][:-100], *SERIES[1:]], LIMITS)
    found, warnings = decode_series([SERIES[0][:400], *SERIES[1:]], LIMITS)
    assert found[0].volume.voxels.shape[2] == 19
    assert "1 unreadable_file" in warnings[0]


def moved(number: int, millimeters: tuple[float, float, float]) -> list[bytes]:
    pixels, geometry = frames_of(VOXELS, affine_of((1, 1, 2)))
    place = np.array([float(value) for value in geometry[number]["ImagePositionPatient"]]) + millimeters
    geometry[number]["ImagePositionPatient"] = short(place)
    return [pictures.dicom(picture, **where) for picture, where in zip(pixels, geometry, strict=True)]


def test_uneven_slices() -> None:
    with pytest.raises(SeriesConflict, match=r"their distances are 1\.20 to 2\.80 mm, mostly 2\.00"):
        decode_series(moved(8, (0, 0, 0.8)), LIMITS)
    assert "varies by up to 0.10 mm" in one(moved(8, (0, 0, 0.1))).warnings[0]
    with pytest.raises(SeriesConflict, match=r"shifted against each other by up to 4\.0 mm"):
        decode_series(moved(8, (4.0, 0, 0)), LIMITS)


def test_a_tilted_gantry_is_refused() -> None:
    pixels, geometry = frames_of(VOXELS, affine_of((1, 1, 2)))
    for number, where in enumerate(geometry):
        place = np.array([float(value) for value in where["ImagePositionPatient"]]) + np.array([0, number * 0.5, 0])
        where["ImagePositionPatient"] = short(place)
    files = [pictures.dicom(picture, **where) for picture, where in zip(pixels, geometry, strict=True)]
    with pytest.raises(GeometryUnclear, match=r"14\.0 degrees off right angles"):
        decode_series(files, LIMITS)


@pytest.mark.parametrize(
    ("files", "error", "says"),
    [
        (SERIES[:1], SeriesConflict, "slices at 1 position, a volume has at least 2"),
        (SERIES[:1] * 5, SeriesConflict, "slices at 1 position"),
        (series(VOXELS, ImagePositionPatient=None), GeometryUnclear, "20 of 20 slices do not say where they lie"),
        (SERIES[1:] + series(VOXELS, AFFINE, PixelSpacing=None)[:1], GeometryUnclear, "1 of 20 slices"),
        (SERIES[1:] + series(VOXELS, AFFINE, PixelSpacing=[2, 2])[:1], SeriesConflict, "pixel spacing"),
        (series(VOXELS, ImageOrientationPatient=[1, 0, 0, 1, 1, 0]), GeometryUnclear, "right angles"),
        (series(VOXELS, ImageType=["DERIVED", "PRIMARY", "MOSAIC"]), UnsupportedVolume, "mosaics"),
        (series(VOXELS, affine_of((1, 1, 30))), GeometryUnclear, "spacing of 30 mm"),
        (series(phantoms.texture((40, 15, 15)), plane="coronal"), PictureTooSmall, "16"),
    ],
)
def test_refused_with_a_reason(files: list[bytes], error: type[ServiceError], says: str) -> None:
    with pytest.raises(error, match=says):
        decode_series(files, LIMITS)


def test_limits() -> None:
    with pytest.raises(VolumeTooLarge, match="20 DICOM files"):
        decode_series(SERIES, VolumeLimits(max_files=19))
    with pytest.raises(VolumeTooLarge, match="20 frames"):
        decode_series([enhanced(VOXELS)], VolumeLimits(max_files=19))
    with pytest.raises(VolumeTooLarge, match="40 x 36 x 20"):
        decode_series(SERIES, VolumeLimits(max_voxels=1000))


def test_a_header_that_promises_thousands_of_frames_costs_nothing() -> None:
    content = pictures.dicom(SOPClassUID=pictures.ENHANCED_MR_IMAGE, NumberOfFrames=4000)
    start = time.monotonic()
    with pytest.raises(ServiceError):
        decode_series([content], LIMITS)
    assert time.monotonic() - start < 20
