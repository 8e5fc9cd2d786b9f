"""Which files make one study: the rule by which paths and archives are taken apart (docs/cli.md states it)."""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from gateway.imaging.formats import EXTENSIONS
from gateway.imaging.sequence_names import read_name
from neurogate.nifti_groups import group_nifti

Kind = Literal["picture", "nifti", "dicom", "zip"]
_DICOM_MAGIC_AT: Final = 128
_INDEX: Final = "DICOMDIR"


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file and the form field that it goes into: "file", or its sequence."""

    field: str
    path: Path


@dataclass(frozen=True, slots=True)
class StudyFiles:
    """What is sent as one analysis. `fault` says why it cannot be; `name` is its path below the folder searched."""

    name: str
    kind: Kind
    parts: tuple[FilePart, ...]
    fault: str | None = None


def left_out_words(left_out: Counter[str]) -> str:
    """What was passed by, in words; empty where nothing was."""
    return (
        "left out: " + ", ".join(f"{count} files {why}" for why, count in sorted(left_out.items())) if left_out else ""
    )


def find_studies(root: Path, left_out: Counter[str]) -> Iterator[StudyFiles]:
    """The studies of an archive, in the order of their names; one sub-folder's file names are held at a time.

    `left_out` counts the files that belong to no study, by why. Raises `OSError` for a folder that cannot be read.
    """
    entries = sorted(root.iterdir(), key=lambda path: path.name)
    loose = [path for path in entries if path.is_file() and not path.name.startswith(".")]
    yield from studies_of(loose, root, left_out)
    for folder in entries:
        if folder.is_dir() and not folder.is_symlink() and not folder.name.startswith("."):
            yield from studies_of(_files_below(folder, left_out), root, left_out)


def studies_of_paths(paths: Iterable[Path], left_out: Counter[str]) -> Iterator[StudyFiles]:
    """The studies of what a person named: each folder for itself, all single files together."""
    files = [path for path in paths if path.is_file()]
    yield from studies_of(files, None, left_out)
    for folder in paths:
        if folder.is_dir():
            yield from studies_of(_files_below(folder, left_out), folder.absolute().parent, left_out)


def named_study(named: Mapping[str, Path]) -> StudyFiles:
    """One study of a file, or a folder of DICOM files, for each sequence."""
    parts: list[FilePart] = []
    for field, path in named.items():
        files = (
            [path] if path.is_file() else [file for file in _files_below(path, Counter()) if kind_of(file) == "dicom"]
        )
        parts += [FilePart(field, file) for file in files]
    kinds = {kind_of(part.path) for part in parts}
    name = ", ".join(path.name for path in named.values())
    if not parts or None in kinds:
        fault = "A folder named for a sequence must hold DICOM files, a file be NIfTI, DICOM, a zip or a picture."
        return StudyFiles(name, "dicom", tuple(parts), fault)
    return StudyFiles(name, _common_kind(kinds), tuple(parts))


def _common_kind(kinds: Set[Kind | None]) -> Kind:
    order: tuple[Kind, ...] = ("dicom", "nifti", "zip", "picture")
    return next(kind for kind in order if kind in kinds)


def studies_of(paths: Iterable[Path], root: Path | None, left_out: Counter[str]) -> Iterator[StudyFiles]:
    """The studies that `paths` make together: pictures and zips singly, NIfTI by folder, DICOM by StudyInstanceUID."""
    nifti: defaultdict[Path, list[Path]] = defaultdict(list)
    dicom: list[Path] = []
    for path in paths:
        kind = _readable_kind(path, left_out)
        if kind == "picture" and root is not None and read_name(path.name) == "mask":
            left_out["labels (seg, mask)"] += 1
        elif kind == "picture" or kind == "zip":  # noqa: PLR1714 - mypy narrows this
            yield StudyFiles(_name(path, root), kind, (FilePart("file", path),))
        elif kind == "nifti":
            if read_name(path.name) == "mask":
                left_out["labels (seg, mask)"] += 1
            else:
                nifti[path.parent].append(path)
        elif kind == "dicom":
            dicom.append(path)
    for folder, files in nifti.items():
        for group in group_nifti(files):
            name = _name(folder if group.name is None else folder / group.name, root)
            parts = tuple(FilePart(field, path) for field, path in group.parts)
            yield StudyFiles(name, "nifti", parts, group.fault)
    for study in _dicom_studies(dicom, root) if dicom else ():
        beside = study.name in {_name(folder, root) for folder in nifti}
        yield replace(study, name=f"{study.name}#dicom") if beside else study


def kind_of(path: Path) -> Kind | None:
    """By the name's ending; files of other endings, or of none, by DICOM's first bytes."""
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return "nifti"
    if name.endswith(".zip"):
        return "zip"
    known = EXTENSIONS.get(Path(name).suffix)
    if known is not None:
        return "dicom" if known == "dicom" else "picture"
    if path.name.upper() == _INDEX:
        return None
    with path.open("rb") as file:
        file.seek(_DICOM_MAGIC_AT)
        return "dicom" if file.read(4) == b"DICM" else None


def _readable_kind(path: Path, left_out: Counter[str]) -> Kind | None:
    try:
        kind = kind_of(path)
    except OSError:
        left_out["that cannot be read"] += 1
        return None
    if kind is None:
        left_out["of no known kind"] += 1
    return kind


def _dicom_studies(paths: list[Path], root: Path | None) -> Iterator[StudyFiles]:
    from gateway.imaging.study_uid import read_study_uid  # noqa: PLC0415 - no one waits for pydicom in vain

    by_uid: defaultdict[str, list[Path]] = defaultdict(list)
    for path in paths:
        # What has no UID is put with its folder; the gateway says what is wrong with it.
        by_uid[read_study_uid(path) or f"folder {path.parent}"].append(path)
    groups = {uid: _place(files) for uid, files in by_uid.items()}
    shared = Counter(groups.values())
    for uid, files in by_uid.items():
        name = _name(groups[uid], root)
        if shared[groups[uid]] > 1:
            # A UID may lead to the patient; a few digits of its hash tell studies apart.
            name += f"#{hashlib.sha256(uid.encode()).hexdigest()[:8]}"
        yield StudyFiles(name, "dicom", tuple(FilePart("file", path) for path in sorted(files)))


def _place(files: list[Path]) -> Path:
    """The one file, or the folder that holds all of them."""
    return files[0] if len(files) == 1 else Path(os.path.commonpath([path.parent for path in files]))


def _name(path: Path, root: Path | None) -> str:
    if root is None:
        return path.name or str(path)
    return path.absolute().relative_to(root.absolute()).as_posix()


def _files_below(folder: Path, left_out: Counter[str]) -> Iterator[Path]:
    """All files, folder by folder, in the order of their names; hidden ones and linked folders are passed by."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError:
        left_out["in a folder that cannot be read (counted once)"] += 1
        return
    yield from (path for path in entries if path.is_file() and not path.name.startswith("."))
    for path in entries:
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            yield from _files_below(path, left_out)
