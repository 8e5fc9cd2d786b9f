"""Which files of an archive make one study."""

from collections import Counter
from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from neurogate.study_files import StudyFiles, find_studies, left_out_words, named_study, studies_of_paths
from tests.unit.gateway_imaging import pictures


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def dicom(root: Path, uid: str, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(pictures.dicom(pictures.gray8(), StudyInstanceUID=uid))


def found(root: Path) -> tuple[dict[str, list[tuple[str, str]]], Counter[str]]:
    left_out: Counter[str] = Counter()
    studies = {
        study.name: [(part.field, part.path.name) for part in study.parts] for study in find_studies(root, left_out)
    }
    return studies, left_out


def test_a_folder_of_nifti_named_by_sequence_is_a_study_and_its_labels_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "BraTS-1/BraTS-1-t1n.nii.gz", "BraTS-1/BraTS-1-t1c.nii.gz", "BraTS-1/BraTS-1-t2w.nii.gz",
          "BraTS-1/BraTS-1-t2f.nii.gz", "BraTS-1/BraTS-1-seg.nii.gz", "deep/er/BraTS-2/flair.nii")  # fmt: skip
    studies, left_out = found(tmp_path)
    assert studies["BraTS-1"] == [
        ("flair", "BraTS-1-t2f.nii.gz"),
        ("t1", "BraTS-1-t1n.nii.gz"),
        ("t1ce", "BraTS-1-t1c.nii.gz"),
        ("t2", "BraTS-1-t2w.nii.gz"),
    ]
    assert studies["deep/er/BraTS-2/flair.nii"] == [("flair", "flair.nii")]
    assert left_out == {"labels (seg, mask)": 1}


def test_several_patients_in_one_folder_are_told_apart_by_the_rest_of_the_name(tmp_path: Path) -> None:
    touch(tmp_path, "a_t1.nii.gz", "a_flair.nii.gz", "b_t1.nii.gz", "b_flair.nii.gz", "c_t2w.nii.gz")
    studies, _ = found(tmp_path)
    assert {name: [field for field, _ in parts] for name, parts in studies.items()} == {
        "a*": ["flair", "t1"],
        "b*": ["flair", "t1"],
        "c_t2w.nii.gz": ["t2"],
    }


def faults(root: Path) -> list[str | None]:
    return [study.fault for study in find_studies(root, Counter())]


def test_what_is_ambiguous_has_a_fault_and_is_not_guessed(tmp_path: Path) -> None:
    touch(tmp_path / "twice", "x/t1_a.nii.gz", "x/t1-a.nii")
    (fault,) = faults(tmp_path / "twice")
    assert "Several NIfTI files name the sequence t1" in (fault or "")
    touch(tmp_path / "silent", "x/scan.nii", "x/scan.nii.gz")
    (fault,) = faults(tmp_path / "silent")
    assert "names no sequence" in (fault or "")


def test_dicom_is_sorted_by_study_across_folders(tmp_path: Path) -> None:
    first, second = generate_uid(), generate_uid()
    dicom(tmp_path, first, "p1/s1/1", "p1/s1/2", "p1/s2/1.dcm")
    dicom(tmp_path, second, "p2/mixed/1.dcm")
    dicom(tmp_path, first, "p2/mixed/2.dcm", "p2/mixed/3.dcm")
    touch(tmp_path, "p1/DICOMDIR", "p1/notes.txt")
    studies, left_out = found(tmp_path)
    assert len(studies["p1"]) == 3
    assert studies["p2/mixed/1.dcm"] == [("file", "1.dcm")]
    assert len(studies["p2/mixed"]) == 2
    assert left_out == {"of no known kind": 2}


def test_two_studies_in_one_folder_have_two_names_without_a_uid(tmp_path: Path) -> None:
    uids = generate_uid(), generate_uid()
    for number, uid in enumerate(uids):
        dicom(tmp_path, uid, f"mixed/{number}a.dcm", f"mixed/{number}b.dcm")
    studies, _ = found(tmp_path)
    assert len(studies) == 2
    assert all(name.startswith("mixed#") and not any(uid in name for uid in uids) for name in studies)


def test_dicom_beside_nifti_is_another_study(tmp_path: Path) -> None:
    dicom(tmp_path, generate_uid(), "p/1.dcm", "p/2.dcm")
    touch(tmp_path, "p/t1.nii", "p/flair.nii")
    studies, _ = found(tmp_path)
    assert set(studies) == {"p", "p#dicom"}


def test_pictures_and_zips_are_studies_and_hidden_files_are_not(tmp_path: Path) -> None:
    touch(tmp_path, "b.png", "b.mask.png", "a.zip", "sub/c.JPG", ".hidden.png", ".git/x.png")
    studies, left_out = found(tmp_path)
    assert list(studies) == ["a.zip", "b.png", "sub/c.JPG"]
    assert left_out == {"labels (seg, mask)": 1}
    assert len(list(studies_of_paths([tmp_path / "b.mask.png"], left_out))) == 1


def test_linked_folders_are_passed_by(tmp_path: Path) -> None:
    touch(tmp_path, "sub/a.png")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    assert list(found(tmp_path)[0]) == ["sub/a.png"]


def test_an_archive_is_taken_apart_as_it_is_read(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "b/1.png")
    studies = find_studies(tmp_path, Counter())
    assert next(studies).name == "a/1.png"
    touch(tmp_path, "b/2.png")
    assert [study.name for study in studies] == ["b/1.png", "b/2.png"]


def test_named_paths_are_taken_together(tmp_path: Path) -> None:
    touch(tmp_path, "t1.nii", "flair.nii", "x.png")
    studies = list(studies_of_paths([tmp_path / name for name in ("t1.nii", "x.png", "flair.nii")], Counter()))
    assert [(study.kind, len(study.parts)) for study in studies] == [("picture", 1), ("nifti", 2)]


def test_a_sequence_may_be_a_folder_of_dicom(tmp_path: Path) -> None:
    dicom(tmp_path, generate_uid(), "s/1.dcm", "s/2.dcm")
    touch(tmp_path, "s/notes.txt", "empty/notes.txt")
    study = named_study({"flair": tmp_path / "s"})
    assert [(part.field, part.path.name) for part in study.parts] == [("flair", "1.dcm"), ("flair", "2.dcm")]
    assert study.fault is None
    assert "must hold DICOM" in (named_study({"t1": tmp_path / "empty"}).fault or "")


def test_what_is_left_out_is_said_in_words() -> None:
    assert left_out_words(Counter()) == ""
    assert left_out_words(Counter({"of no known kind": 2})) == "left out: 2 files of no known kind"


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.dcm"])
def test_a_lone_file_is_sent_as_file(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name)
    (study,) = find_studies(tmp_path, Counter())
    assert isinstance(study, StudyFiles)
    assert [part.field for part in study.parts] == ["file"]
