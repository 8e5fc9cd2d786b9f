"""What is audited: pictures with label, group and side, from an index or from class folders."""

import csv
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_SIDES = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}
_PICTURE_COLUMNS = ("image", "picture", "path", "file", "filename", "slice")
_INDEX = "index.csv"


class UnusableSet(ValueError):
    """A folder or an index that cannot be audited as asked. The message says what to change."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How the index calls what the audit asks for. What is not named is looked for under its usual names."""

    group: str | None = None
    label: str | None = None
    split: str | None = None


_USUAL = {
    "group": ("group", "patient", "patient_id"),
    "label": ("label", "class"),
    "split": ("split", "side", "part"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture to audit. `key` names it in the report; label, group and side are None where they are unknown."""

    key: str
    path: Path
    label: str | None = None
    group: str | None = None
    side: str | None = None


def read_entries(folder: Path, columns: Columns | None = None, index: str | None = None) -> list[Entry]:
    """The pictures of `folder`: those of its index, else all of its class folders (`train/CLASS/*.jpg`).

    Args:
        folder: the set.
        columns: names of the index' columns.
        index: the index' file name; without one, `index.csv` is taken where there is one.

    Raises:
        UnusableSet: no folder, no index of that name, no such column, or no picture.
    """
    if not folder.is_dir():
        raise UnusableSet(f"{folder}: no such folder")
    path = folder / (index or _INDEX)
    if path.is_file():
        entries = _indexed(path, columns or Columns())
    elif index is not None:
        raise UnusableSet(f"{folder.name}: there is no {index} in it")
    elif columns is not None and columns != Columns():
        raise UnusableSet(f"{folder.name}: a column is named, and there is no {_INDEX}")
    else:
        entries = _class_folders(folder)
    if not entries:
        raise UnusableSet(f"{folder.name}: no picture in it ({', '.join(sorted(SUFFIXES))})")
    return entries


def _indexed(path: Path, columns: Columns) -> list[Entry]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        names = list(reader.fieldnames or ())
        picture = next((name for name in _PICTURE_COLUMNS if name in names), None)
        if picture is None:
            raise UnusableSet(f"{path.name}: no column of pictures (one of {', '.join(_PICTURE_COLUMNS)})")
        group, label, split = (_column(path, names, getattr(columns, what), what) for what in _USUAL)
        return [
            Entry(
                key=row[picture],
                path=path.parent / row[picture],
                label=(row[label] or None) if label else None,
                group=(row[group] or None) if group else None,
                side=(row[split] or None) if split else None,
            )
            for row in reader
        ]


def _column(path: Path, names: list[str], asked: str | None, what: str) -> str | None:
    if asked is not None and asked not in names:
        raise UnusableSet(f"{path.name}: no column {asked} (there are {', '.join(names)})")
    return asked or next((name for name in _USUAL[what] if name in names), None)


def _class_folders(folder: Path) -> list[Entry]:
    entries = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        inside = path.relative_to(folder)
        above = inside.parts[:-1]
        side = next((_SIDES[name.lower()] for name in above if name.lower() in _SIDES), None)
        label = above[-1] if above and above[-1].lower() not in _SIDES else None
        entries.append(Entry(inside.as_posix(), path, label, None, side))
    return entries
