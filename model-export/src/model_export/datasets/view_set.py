"""What the view network learns from: slices of known plane from every set but `views64`, which stays external."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.lgg import read_lgg, read_sequences, split_lgg
from model_export.datasets.pictures import Pictures, cached, read_gray
from model_export.datasets.slices import fold_slices
from model_export.datasets.split import Fold, GroupSplit, merge_splits, split_groups
from model_export.datasets.volumes import PLANES, read_volumes
from service_kit.inference.preprocessing import Preprocessing

_NORMAL_SLICES, _BRATS_SLICES, _LGG_SLICES = 14, 4, 3
_INNER = (0.22, 0.8)


@dataclass(frozen=True, slots=True)
class ViewSample:
    """A slice of known plane. `load` reads its pixels `[rows, columns]`."""

    key: str
    plane: str
    source: str
    group: str
    load: Callable[[], NDArray[np.uint8]]


def view_samples(root: Path, fold: Fold) -> tuple[list[ViewSample], GroupSplit]:
    """All samples, and their split: the slices' own one (shared with tumor and seg-t1), volumes and LGG by patient."""
    records, of_slices = fold_slices(root, fold)
    samples = [
        ViewSample(r.image.name, r.view, r.source, r.group, lambda path=r.image: read_gray(path))  # type: ignore[misc]
        for r in records
        if r.view is not None
    ]
    lgg = read_lgg(root)
    of_patient: dict[str, list[int]] = {}
    for position, item in enumerate(lgg):
        of_patient.setdefault(item.patient, []).append(position)
    for patient, positions in sorted(of_patient.items()):
        for nth, position in enumerate(_spread(len(positions), _LGG_SLICES)):
            item = lgg[positions[position]]
            name = ("t1", "flair", "t1ce")[nth % 3]
            samples.append(
                ViewSample(
                    f"{item.picture.name}/{name}",
                    "axial",
                    "lgg",
                    patient,
                    lambda item=item, name=name: read_sequences(item)[name],  # type: ignore[misc]
                )
            )
    volumes = _volume_samples(root)
    of_patients = split_lgg(lgg, replace(fold, leaky=False))
    of_volumes = split_groups([s.group for s in volumes], [s.source for s in volumes], fold)
    return samples + volumes, merge_splits([of_slices, of_patients, of_volumes])


def _volume_samples(root: Path) -> list[ViewSample]:
    samples = []
    for kind, count in (("normal", _NORMAL_SLICES), ("brats", _BRATS_SLICES)):
        for case in read_volumes(root, kind):
            group = case.group.split("_")[0] if kind == "normal" else case.group
            sequences = [name for name in case.arrays if name != "seg"]
            for plane in PLANES:
                for nth, index in enumerate(_spread(case.depth(plane), count)):
                    name = sequences[nth % len(sequences)]
                    samples.append(
                        ViewSample(
                            f"{case.group}/{name}/{plane}/{index}",
                            plane,
                            kind,
                            group,
                            lambda c=case, s=name, p=plane, i=index: c.slice(s, p, i),  # type: ignore[misc]
                        )
                    )
    return samples


def _spread(count: int, wanted: int) -> list[int]:
    return sorted({int(x) for x in np.linspace(_INNER[0] * count, _INNER[1] * count, wanted)})


def view_pictures(samples: list[ViewSample], preprocessing: Preprocessing, cache: Path) -> Pictures:
    """Every sample on the model's grid."""

    def make(index: int) -> tuple[NDArray[np.uint8], None]:
        return preprocessing.apply(samples[index].load())[0][None], None

    return cached(cache, f"view-{preprocessing.size}", preprocessing, [s.key for s in samples], make)
