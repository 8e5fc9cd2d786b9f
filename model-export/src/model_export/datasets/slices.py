"""`t1_slices`: contrast-enhanced T1 slices with class, view where known, mask where there is a tumor, and group."""

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.pictures import Pictures, cached, place_mask, read_gray
from model_export.datasets.split import Fold, GroupSplit, split_groups
from service_kit.inference.preprocessing import Preprocessing

_MERGED = Path(__file__).with_name("merged_groups.json")


@dataclass(frozen=True, slots=True)
class SliceRecord:
    """One slice: paths, labels (`view` is None where unknown, `mask` None where there is no tumor), source, group."""

    image: Path
    mask: Path | None
    tumor_class: str
    view: str | None
    source: str
    group: str


def read_slices(root: Path) -> list[SliceRecord]:
    """The index of `root/t1_slices`, in file order. Raises `FileNotFoundError` where the set is absent."""
    folder = root / "t1_slices"
    with (folder / "index.csv").open(newline="", encoding="utf-8") as stream:
        return [
            SliceRecord(
                image=folder / row["image"],
                mask=folder / row["mask"] if row["mask"] else None,
                tumor_class=row["tumor_class"],
                view=row["view"] or None,
                source=row["source"],
                group=row["group"],
            )
            for row in csv.DictReader(stream)
        ]


def fold_slices(root: Path, fold: Fold) -> tuple[list[SliceRecord], GroupSplit]:
    """The slices, and the split that view, tumor and seg-t1 share: by group, stratified by class and source."""
    records = read_slices(root)
    if fold.leaky:
        records = [replace(r, group=r.image.name) for r in records]
    else:
        joined = joined_groups()
        records = [replace(r, group=joined.get(r.group, r.group)) for r in records]
    return records, split_groups([r.group for r in records], [f"{r.tumor_class}/{r.source}" for r in records], fold)


def joined_groups() -> dict[str, str]:
    """Group -> the first of the groups that the audit found to hold copies of the same slices.

    Upstream calls them different, yet one's slice is the other's turned, mirrored or brightened one: a split must not
    put them on two sides. The audit's first matcher made the file; `model-export audit --merged-groups` adds to it.
    """
    merged: list[list[str]] = json.loads(_MERGED.read_bytes())["merged"]
    return {group: several[0] for several in merged for group in several}


def read_mask(record: SliceRecord) -> NDArray[np.uint8] | None:
    """The tumor's mask `[rows, columns]` 0/1, or None."""
    return None if record.mask is None else (read_gray(record.mask) > 127).astype(np.uint8)


def slice_pictures(records: list[SliceRecord], preprocessing: Preprocessing, cache: Path) -> Pictures:
    """Every record on the model's grid, with its mask."""

    def make(index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        record = records[index]
        image, placement = preprocessing.apply(read_gray(record.image))
        mask = read_mask(record)
        return image[None], None if mask is None else place_mask(mask, placement, preprocessing.size)

    keys = [f"{r.image.parent.name}/{r.image.name}" for r in records]
    return cached(cache, f"t1-{preprocessing.size}", preprocessing, keys, make)
