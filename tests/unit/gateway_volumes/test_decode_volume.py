import gzip
import random
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.imaging.decode import decode_input
from gateway.imaging.decode_volume import decode_volumes
from gateway.imaging.errors import (
    EmptyFile,
    FileTooLarge,
    GeometryUnclear,
    PartsConflict,
    SequenceUnclear,
    UnreadableFile,
    UnsupportedFormat,
    VolumeTooLarge,
)
from gateway.imaging.part import Part
from gateway.imaging.sources import holds_volume
from gateway.imaging.volume import VolumeStudy
from gateway.imaging.volume_limits import VolumeLimits
from gateway.reporting.volume_nifti import encode_mask
from service_kit.contracts.common import Sequence
from service_kit.errors import ServiceError
from tests.unit.gateway_imaging import pictures
from tests.unit.gateway_volumes import archives, phantoms
from tests.unit.gateway_volumes.dicom_series import enhanced, series
from tests.unit.gateway_volumes.places import affine_of, stored_as

SHAPE = (40, 36, 20)
VOXELS = phantoms.texture(SHAPE)
AFFINE = affine_of((1.0, 1.25, 2.0), (4.0, -3.0, 6.0))
NIFTI = phantoms.zipped(phantoms.nifti(VOXELS, AFFINE))
FLAIR = series(VOXELS, AFFINE, SeriesDescription="FLAIR")
T1 = series(VOXELS // 2, AFFINE, SeriesDescription="T1 SAG", SeriesInstanceUID="1.2.4")


def files(contents: list[bytes], name: str = "file") -> list[Part]:
    return [Part(name, f"{number}.dcm", content) for number, content in enumerate(contents)]


def nifti(voxels: NDArray[Any] = VOXELS, affine: NDArray[np.float64] = AFFINE) -> bytes:
    return phantoms.nifti(voxels, affine)


def named(**contents: bytes) -> list[Part]:
    return [Part(name, f"{name}.nii", content) for name, content in contents.items()]


def same(study: VolumeStudy, name: Sequence, voxels: NDArray[Any]) -> bool:
    return bool(np.allclose(study.sequences[name].voxels, voxels, atol=1e-3))


def test_one_nifti_file() -> None:
    study = decode_volumes([Part("file", "patient_flair.nii.gz", NIFTI)])
    assert (study.kind, study.format, study.view) == ("volume", "nifti", "axial")
    assert list(study.sequences) == ["flair"]
    assert study.warnings == ("A volume was taken as flair from its file's name.",)
    assert same(study, "flair", VOXELS)
    assert study.primary.sequence == study.primary_sequence == "flair"
    assert np.allclose(study.grid.affine, AFFINE, atol=1e-4)
    assert "patient" not in repr(study)


def test_a_lone_volume_that_says_nothing() -> None:
    study = decode_volumes([Part("file", "scan.nii.gz", NIFTI)])
    assert list(study.sequences) == ["t1ce"]
    assert "Nothing says the volume's sequence; t1ce was taken" in study.warnings[0]
    assert list(decode_volumes([Part("file", "scan.nii.gz", NIFTI)], sequence="t2").sequences) == ["t2"]
    contradicted = decode_volumes([Part("file", "x_t1.nii.gz", NIFTI)], sequence="t2")
    assert list(contradicted.sequences) == ["t2"]
    assert "although the file's name reads as t1" in contradicted.warnings[0]


def test_four_parts_named_by_sequence() -> None:
    levels: dict[str, NDArray[Any]] = {name: VOXELS + at for at, name in enumerate(("t2", "flair", "t1", "t1ce"))}
    study = decode_volumes(named(**{name: nifti(voxels) for name, voxels in levels.items()}))
    assert list(study.sequences) == ["t2", "flair", "t1", "t1ce"]
    for name, volume in study.sequences.items():
        assert volume.sequence == name
        assert np.array_equal(volume.voxels, levels[name])
    assert study.resampled == ()
    assert not any("resampled" in warning for warning in study.warnings)


def test_four_files_recognized_by_name_from_a_zip() -> None:
    members = {f"case/BraTS_{name}.nii.gz": phantoms.zipped(nifti(VOXELS + at)) for at, name in enumerate(("t1", "t2"))}
    members["case/BraTS_seg.nii.gz"] = phantoms.zipped(nifti((VOXELS > 500).astype(np.uint8)))
    members["case/readme.txt"] = b"hello"
    study = decode_volumes([Part("file", "case.zip", archives.zip_of(members))])
    assert same(study, "t1", VOXELS)
    assert same(study, "t2", VOXELS + 1)
    assert "1 files of the archive are neither DICOM nor NIfTI." in study.warnings
    assert "1 files of labels, by their names, were left out." in study.warnings


@pytest.mark.parametrize("packed", [False, True])
def test_dicom_series_by_their_headers(packed: bool) -> None:
    contents = FLAIR + T1
    random.Random(2).shuffle(contents)
    parts = files(contents)
    if packed:
        parts = [Part("file", "study.zip", archives.zip_of({f"IM{n}": content for n, content in enumerate(contents)}))]
    study = decode_volumes(parts)
    assert (study.kind, study.format, study.view) == ("series", "dicom", "axial")
    assert set(study.sequences) == {"flair", "t1"}
    for name, voxels in (("flair", VOXELS), ("t1", VOXELS // 2)):
        assert np.array_equal(study.sequences[name].canonical, voxels)  # type: ignore[index]


def test_dicom_in_parts_named_by_sequence() -> None:
    study = decode_volumes(files(FLAIR, "t2") + files(T1, "t1"))
    assert set(study.sequences) == {"t2", "t1"}
    assert "Taken as t2, as the request says, although the DICOM header reads as flair." in study.warnings


def test_two_of_one_sequence_or_one_of_none_are_refused() -> None:
    members = {"case_t1.nii": nifti(), "case_t1ce.nii": nifti()}
    study = decode_volumes([Part("file", "x.zip", archives.zip_of(members))])
    assert set(study.sequences) == {"t1", "t1ce"}
    with pytest.raises(SequenceUnclear, match="Two volumes are t1"):
        decode_volumes([Part("file", "x.zip", archives.zip_of({"a_t1.nii": nifti(), "b_t1.nii": nifti()}))])
    with pytest.raises(SequenceUnclear, match="1 of 2 volumes do not say"):
        decode_volumes([Part("file", "x.zip", archives.zip_of({"a_t1.nii": nifti(), "b.nii": nifti()}))])
    with pytest.raises(SequenceUnclear, match="Two volumes are flair"):
        decode_volumes(files(FLAIR + series(VOXELS, AFFINE, SeriesDescription="FLAIR", SeriesInstanceUID="1.2.5")))


def test_a_dicom_files_name_counts_for_nothing() -> None:
    parts = [Part("file", f"t2_seg_{number}.dcm", content) for number, content in enumerate(FLAIR)]
    study = decode_volumes(parts)
    assert list(study.sequences) == ["flair"]
    assert study.warnings == ()


def test_a_sentinel_comes_back_through_the_whole_entry() -> None:
    """Four sequences in four orientations: a mask made on them lies where the marks are."""
    voxels, marks = phantoms.sentinels(SHAPE)
    orders = {"t2": "LPS", "flair": "PSR", "t1": "LAS", "t1ce": "RAS"}
    study = decode_volumes(named(**{name: nifti(*stored_as(codes, voxels, AFFINE)) for name, codes in orders.items()}))
    assert study.grid.axis_codes == "LPS"
    for name in orders:
        canonical = study.sequences[name].canonical  # type: ignore[index]
        assert all(canonical[tuple(place)] >= 900 for place in marks.values())
    labels = study.grid.turn.undo((study.primary.canonical >= 900).astype(np.uint8))
    mask = nibabel.Nifti1Image.from_bytes(gzip.decompress(encode_mask(labels, study.grid)))
    sent = nibabel.Nifti1Image.from_bytes(nifti(*stored_as("LPS", voxels, AFFINE)))
    assert np.array_equal(np.asarray(mask.dataobj) > 0, np.asarray(sent.dataobj) >= 900)
    assert np.allclose(mask.affine, sent.affine, atol=1e-4)


def test_the_same_voxels_in_another_order_are_not_interpolated() -> None:
    stored, affine = stored_as("PSR", VOXELS // 2, AFFINE)
    study = decode_volumes(named(flair=nifti(), t1=nifti(stored, affine)))
    assert study.resampled == ()
    assert np.array_equal(study.sequences["t1"].voxels, VOXELS // 2)


def test_another_grid_is_resampled_to_the_first_and_said() -> None:
    fine = affine_of((0.5, 0.5, 0.5), (4.0, -3.0, 6.0), (-31.2, -40.2, -25.4))
    study = decode_volumes(named(flair=nifti(), t1=nifti(phantoms.texture((82, 92, 82)), fine)))
    assert study.resampled == ("t1",)
    assert np.allclose(study.grid.affine, AFFINE, atol=1e-4)
    assert study.sequences["t1"].voxels.shape == SHAPE
    said = next(warning for warning in study.warnings if "resampled" in warning)
    assert said.startswith("t1 was resampled from 82 x 92 x 82 voxels of 0.5 x 0.5 x 0.5 mm to the first volume's")


def test_volumes_of_two_places_are_refused() -> None:
    far = affine_of((1.0, 1.25, 2.0), (4.0, -3.0, 6.0), (60.0, -40.0, -25.0))
    with pytest.raises(PartsConflict, match=r"t1 covers \d+% of the first volume"):
        decode_volumes(named(flair=nifti(), t1=nifti(affine=far)))


def test_another_frame_of_reference_is_said() -> None:
    moved = series(VOXELS // 2, AFFINE, SeriesInstanceUID="1.2.4", FrameOfReferenceUID="1.2.9")
    study = decode_volumes(files(FLAIR, "flair") + files(moved, "t1"))
    assert any("t1 has another frame of reference" in warning for warning in study.warnings)


def test_orientation_said_by_one_alone_is_refused() -> None:
    image = nibabel.Nifti1Image(VOXELS, AFFINE)
    image.set_sform(None, code=0)
    image.set_qform(None, code=0)
    with pytest.raises(GeometryUnclear, match="only one says how its axes lie"):
        decode_volumes(named(flair=nifti(), t1=image.to_bytes()))
    assert decode_volumes(named(flair=image.to_bytes())).view is None


def test_an_enhanced_object_is_a_series() -> None:
    study = decode_volumes([Part("file", "x.dcm", enhanced(VOXELS, AFFINE, "coronal", SeriesDescription="T2 COR"))])
    assert (study.view, list(study.sequences)) == ("coronal", ["t2"])
    assert study.stack.shape == (36, 20, 40)
    assert np.array_equal(study.sequences["t2"].canonical, VOXELS)


def test_the_digest_is_of_the_files() -> None:
    lone = decode_volumes([Part("file", "a_t1.nii.gz", NIFTI)])
    assert len(lone.sha256) == 64
    forward, backward = files(FLAIR), files(FLAIR[::-1])
    assert decode_volumes(forward).sha256 == decode_volumes(backward).sha256 != lone.sha256


@pytest.mark.parametrize(
    ("parts", "error", "says"),
    [
        ([], PartsConflict, "No file"),
        ([Part("t3", "a.nii", NIFTI)], PartsConflict, "not known"),
        ([Part("file", "a.nii", NIFTI), Part("t1", "b.nii", NIFTI)], PartsConflict, "'file' came with parts"),
        ([Part("file", "a.nii", b"")], EmptyFile, "no bytes"),
        ([Part("file", "a_seg.nii", NIFTI)], PartsConflict, "only labels"),
        ([Part("file", "a.nii.gz", phantoms.zipped(b"hello" * 200))], UnsupportedFormat, "gzip file holds no NIfTI"),
        (files([FLAIR[0], pictures.save(pictures.gray8(), "PNG")]), UnsupportedFormat, "picture came with"),
        ([Part("file", "a.zip", archives.zip_of({"a.txt": b"hello"}))], UnsupportedFormat, "neither DICOM nor NIfTI"),
        (named(t1=nifti(), t2=phantoms.nifti(VOXELS)[:-5]), UnreadableFile, "Part 't2': .*cut short"),
        ([*named(t1=nifti()), Part("t1", "b.nii", NIFTI)], SequenceUnclear, "Two volumes are t1"),
    ],
)
def test_refused_with_a_reason(parts: list[Part], error: type[ServiceError], says: str) -> None:
    with pytest.raises(error, match=says):
        decode_volumes(parts)


def test_limits() -> None:
    with pytest.raises(PartsConflict, match="lone volume; 2 came"):
        decode_volumes(named(t1=nifti(), t2=nifti()), sequence="t1")
    with pytest.raises(FileTooLarge):
        decode_volumes(named(t1=nifti()), limits=VolumeLimits(max_file_bytes=10))
    with pytest.raises(VolumeTooLarge, match="2 sequences of 28800 voxels"):
        decode_volumes(named(t1=nifti(), t2=nifti()), limits=VolumeLimits(max_voxels=40_000))
    five = archives.zip_of({f"{n}.nii": nifti() for n in range(5)})
    with pytest.raises(SequenceUnclear, match="5 volumes were sent; at most 4"):
        decode_volumes([Part("file", "a.zip", five)])


def test_a_slice_stays_a_slice() -> None:
    assert decode_input([Part("file", "a.dcm", FLAIR[3])]).kind == "slice"
    assert decode_input([Part("file", "a.nii.gz", NIFTI)], sequence="flair").kind == "volume"


def test_what_is_a_volume() -> None:
    slice_part = Part("file", "a.dcm", FLAIR[0])
    assert not holds_volume([slice_part])
    assert not holds_volume([Part("t1", "a.png", pictures.save(pictures.gray8(), "PNG"))])
    assert not holds_volume([Part("file", "a", b"hello")])
    assert holds_volume([slice_part, slice_part])
    assert holds_volume([Part("file", "a", NIFTI)])
    assert holds_volume([Part("file", "a", archives.zip_of({"a": b"x"}))])
    assert holds_volume([Part("file", "a", enhanced(VOXELS))])
