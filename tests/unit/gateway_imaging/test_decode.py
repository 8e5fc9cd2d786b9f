import hashlib

import numpy as np
import pytest

from gateway.imaging.decode import DecodeLimits, Part, decode_study
from gateway.imaging.errors import PartsConflict, UnreadableFile
from service_kit.contracts.common import Sequence
from tests.unit.gateway_imaging import pictures

PNG = pictures.save(pictures.gray8(), "PNG")
OTHER = pictures.save(pictures.gray8()[::-1].copy(), "PNG")


@pytest.mark.parametrize("sequence", [None, "t1", "t1ce", "t2", "flair"])
def test_a_lone_file_is_what_the_option_says_else_t1ce(sequence: Sequence | None) -> None:
    study = decode_study([Part("file", "a.png", PNG)], sequence=sequence)
    assert set(study.sequences) == {sequence or "t1ce"}
    assert study.primary_sequence == (sequence or "t1ce")
    assert study.kind == "slice"
    assert study.sha256 == hashlib.sha256(PNG).hexdigest()


def test_the_dicom_header_says_the_sequence_and_the_option_overrides_it_with_a_warning() -> None:
    flair = Part("file", "a.dcm", pictures.dicom(SeriesDescription="AX T2 FLAIR"))
    assert set(decode_study([flair]).sequences) == {"flair"}
    study = decode_study([flair], sequence="t2")
    assert set(study.sequences) == {"t2"}
    assert study.warnings == ("The DICOM header reads as flair; taken as t2, as the request says.",)


def test_parts_by_sequence_make_one_study() -> None:
    parts = [Part("flair", "f.png", OTHER), Part("t1ce", "c.png", PNG)]
    study = decode_study(parts)
    assert set(study.sequences) == {"t1ce", "flair"}
    assert study.primary_sequence == "t1ce"
    assert np.array_equal(study.primary, pictures.gray8())
    assert np.array_equal(study.sequences["flair"], pictures.gray8()[::-1])
    assert study.sha256 == decode_study(parts[::-1]).sha256
    assert study.sha256 not in {hashlib.sha256(PNG).hexdigest(), hashlib.sha256(OTHER).hexdigest()}


def test_the_classified_sequence_is_t1ce_then_t1_then_flair() -> None:
    names = ("t2", "flair", "t1", "t1ce")
    for last in range(1, 5):
        study = decode_study([Part(name, "a.png", PNG) for name in names[:last]])
        assert study.primary_sequence == names[last - 1]


def test_geometry_of_the_parts_is_joined() -> None:
    parts = [Part("t1", "a.dcm", pictures.dicom()), Part("flair", "b.png", PNG)]
    study = decode_study(parts)
    assert (study.format, study.spacing_mm, study.view) == ("dicom", (0.5, 0.75), "axial")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "No file"),
        (["file", "file"], "send series to"),
        (["file", "t1"], "came with parts named by sequence"),
        (["t1", "t1"], "t1 came more than once"),
        (["t1", "dwi"], "name is not known"),
        (["scan"], "name is not known"),
        (["t1", "t1ce", "t2", "flair", "t1"], "at most 4"),
    ],
)
def test_parts_that_do_not_go_together(names: list[str], words: str) -> None:
    with pytest.raises(PartsConflict, match=words):
        decode_study([Part(name, "a.png", PNG) for name in names])


def test_the_option_sequence_is_for_a_lone_file() -> None:
    with pytest.raises(PartsConflict, match="'sequence' is for a lone"):
        decode_study([Part("t1", "a.png", PNG)], sequence="flair")
    assert set(decode_study([Part("t1", "a.png", PNG)], sequence="t1").sequences) == {"t1"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PixelSpacing": [1.0, 1.0]}, "pixel spacing"),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "planes: axial, sagittal"),
        ({"pixels": pictures.gray16(64, 64)}, "t1 96 x 80, t2 64 x 64"),
    ],
)
def test_sequences_must_share_the_grid(changes: dict[str, object], words: str) -> None:
    parts = [Part("t1", "a.dcm", pictures.dicom()), Part("t2", "b.dcm", pictures.dicom(**changes))]
    with pytest.raises(PartsConflict, match=words):
        decode_study(parts)


def test_a_bad_part_among_several_is_named() -> None:
    parts = [Part("t1", "a.png", PNG), Part("t2", "b.png", PNG[:200])]
    with pytest.raises(UnreadableFile, match=r"^Part 't2': "):
        decode_study(parts)


def test_the_study_is_read_only() -> None:
    study = decode_study([Part("file", "a.png", PNG)], limits=DecodeLimits())
    with pytest.raises(TypeError):
        study.sequences["t2"] = study.primary  # type: ignore[index]
