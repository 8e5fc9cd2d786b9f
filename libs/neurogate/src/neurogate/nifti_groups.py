"""NIfTI files of one folder -> studies, by the sequences that their names tell."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gateway.imaging.sequence_names import read_name

# The words by which `read_name` knows a sequence, to be taken off a name: what is left is the study's.
_SEQUENCE_WORD: Final = re.compile(
    r"[ ._-]*(t1[ _-]?w?[ _-]?(ce|c|gd|gad|post|km|n)?|t2[ _-]?(flair|f|w)?|flair)(?![a-z0-9])[ ._-]*", re.IGNORECASE
)
_ENDING: Final = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NiftiGroup:
    """Form fields and files of one study. `name` is its name within the folder, None where it is all of the folder."""

    name: str | None
    parts: tuple[tuple[str, Path], ...]
    fault: str | None = None


def group_nifti(files: Sequence[Path]) -> Iterator[NiftiGroup]:
    """One study where no two files are of one sequence; else one for each name without the sequence's word.

    A lone file that names no sequence is sent as `file`; of several, none may be silent.
    """
    named = [read_name(path.name) for path in files]
    if len(files) == 1:
        yield NiftiGroup(files[0].name, ((named[0] or "file", files[0]),))
        return
    if None not in named and len(set(named)) == len(named):
        yield NiftiGroup(None, tuple(sorted((str(name), path) for name, path in zip(named, files, strict=True))))
        return
    by_stem: defaultdict[str, list[Path]] = defaultdict(list)
    for path in files:
        by_stem[_without_sequence(path)].append(path)
    if "" in by_stem and len(by_stem) > 1:
        # Some names are nothing but a sequence: what the others belong to cannot be told from theirs.
        yield replace(_group("", files), name=None)
        return
    for stem, group in sorted(by_stem.items()):
        yield _group(stem, group)


def _group(stem: str, files: Sequence[Path]) -> NiftiGroup:
    parts = tuple(sorted((read_name(path.name) or "file", path) for path in files))
    counts = Counter(field for field, _ in parts)
    fault = None
    if len(parts) > 1 and "file" in counts:
        fault = "Of several NIfTI files one names no sequence: put t1, t1ce, t2 or flair into each name."
    elif max(counts.values()) > 1:
        twice = ", ".join(sorted(field for field, count in counts.items() if count > 1))
        fault = f"Several NIfTI files name the sequence {twice}: give each study a folder of its own."
    return NiftiGroup(parts[0][1].name if len(parts) == 1 else f"{stem}*", parts, fault)


def _stem(path: Path) -> str:
    return _ENDING.sub("", path.name)


def _without_sequence(path: Path) -> str:
    return _SEQUENCE_WORD.sub("", _stem(path), count=1)
