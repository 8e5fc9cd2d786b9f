"""What the tumor network learns from: `t1_slices`, and slices of other scanners and sequences against shortcuts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.lgg import read_lgg, read_sequences, split_lgg
from model_export.datasets.pictures import Pictures, cached, place_mask, read_gray
from model_export.datasets.slices import fold_slices
from model_export.datasets.split import Fold, GroupSplit, merge_splits, split_groups
from model_export.datasets.volumes import PLANES, VolumeCase, read_volumes
from service_kit.inference.preprocessing import Preprocessing

_LARGE_PX = 250
_NORMAL_SLICES = 5


@dataclass(frozen=True, slots=True)
class TumorSample:
    """A slice with its class. `main` marks `t1_slices`; the others are extras. `load` reads its pixels.

    `mask` is the picture of the tumor's outline, where one was published.
    """

    key: str
    label: str
    source: str
    group: str
    main: bool
    load: Callable[[], NDArray[np.uint8]]
    mask: Path | None = None


def tumor_samples(root: Path, fold: Fold) -> tuple[list[TumorSample], GroupSplit]:
    """All samples, and their split by group (for `t1_slices` the one that view and seg-t1 share)."""
    records, of_slices = fold_slices(root, fold)
    samples = [
        TumorSample(r.image.name, r.tumor_class, r.source, r.group, True, lambda path=r.image: read_gray(path), r.mask)  # type: ignore[misc]
        for r in records
    ]
    lgg, volumes = _lgg_samples(root), _volume_samples(root)
    of_patients = split_lgg(read_lgg(root), replace(fold, leaky=False))
    of_volumes = split_groups([s.group for s in volumes], [s.source for s in volumes], fold)
    return samples + lgg + volumes, merge_splits([of_slices, of_patients, of_volumes])


def _lgg_samples(root: Path) -> list[TumorSample]:
    of_patient: dict[str, list[int]] = {}
    slices = read_lgg(root)
    for position, item in enumerate(slices):
        of_patient.setdefault(item.patient, []).append(position)
    samples = []
    for patient, positions in sorted(of_patient.items()):
        largest = sorted(positions, key=lambda p: -slices[p].tumor_px)
        inner = positions[len(positions) // 5 : -len(positions) // 5]
        empty = [p for p in inner if slices[p].tumor_px == 0][::4][:2]
        wanted = [(largest[0], "flair"), (largest[2], "flair"), (largest[1], "t1ce")]
        for position, sequence in wanted + list(zip(empty, ("flair", "t1ce"), strict=False)):
            item = slices[position]
            samples.append(
                TumorSample(
                    f"{item.picture.name}/{sequence}",
                    "glioma" if item.tumor_px else "no_tumor",
                    "lgg",
                    patient,
                    False,
                    lambda item=item, name=sequence: read_sequences(item)[name],  # type: ignore[misc]
                )
            )
    return samples


def _volume_samples(root: Path) -> list[TumorSample]:
    samples = []
    for case in read_volumes(root, "normal"):
        (name,) = case.arrays
        for plane in PLANES:
            indexes = np.linspace(0.25 * case.depth(plane), 0.75 * case.depth(plane), _NORMAL_SLICES).astype(int)
            samples += [_volume_sample(case, name, plane, int(index), "no_tumor") for index in indexes]
    for case in read_volumes(root, "brats"):
        tumor = case.arrays["seg"] > 0
        for plane, axes in (("axial", (0, 1)), ("coronal", (0, 2)), ("sagittal", (1, 2))):
            area = tumor.sum(axis=axes)
            order = np.argsort(-area, kind="stable")
            for nth, name in ((0, "t1ce"), (6, "flair")):
                if area[order[nth]] >= _LARGE_PX:
                    samples.append(_volume_sample(case, name, plane, int(order[nth]), "glioma"))
            depth = len(area)
            empty = [i for i in range(depth // 4, depth * 3 // 4) if area[i] == 0]
            if empty:
                samples.append(_volume_sample(case, "t1ce", plane, empty[len(empty) // 2], "no_tumor"))
    return samples


def _volume_sample(case: VolumeCase, name: str, plane: str, index: int, label: str) -> TumorSample:
    source = "normal" if case.path.parent.name == "normal" else "brats"
    group = case.group.split("_")[0] if source == "normal" else case.group
    return TumorSample(
        f"{case.group}/{name}/{plane}/{index}", label, source, group, False, lambda: case.slice(name, plane, index)
    )


def tumor_pictures(samples: list[TumorSample], preprocessing: Preprocessing, cache: Path) -> Pictures:
    """Every sample on a model's grid, with its mask (zero where none was published)."""

    def make(index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        image, placement = preprocessing.apply(samples[index].load())
        mask = samples[index].mask
        if mask is None:
            return image[None], None
        return image[None], place_mask((read_gray(mask) > 127).astype(np.uint8), placement, preprocessing.size)

    return cached(cache, f"tumor-masks-{preprocessing.size}", preprocessing, [s.key for s in samples], make)
