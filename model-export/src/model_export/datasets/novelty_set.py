"""What the gate at the door is judged on: real slices of every source, turned and at the rim, and outliers by kind."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.outliers import OutlierKind, brain_kinds, dicom_kinds, made_kinds, packaged_kinds
from model_export.datasets.pictures import read_gray
from model_export.datasets.slices import read_slices
from model_export.datasets.split import Fold
from model_export.datasets.view_set import view_pictures, view_samples
from model_export.datasets.volumes import PLANES, read_volumes
from model_export.training.config import CONFIGS
from service_kit.inference.preprocessing import Preprocessing

SIZE = CONFIGS["view"].size
SEED = 0
SLICES_A_SOURCE, BRAINS, TURNED_A_SOURCE, RIM_CASES = 450, 60, 20, 2
_RIM = (0.03, 0.08, 0.92, 0.97)
TURNS = ("quarter", "half", "three_quarters", "mirrored", "upside_down")

Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class NoveltySet:
    """Pictures on the view model's grid: `real [N, S, S]` with their source, `outliers [M, S, S]` with their kind."""

    real: Pictures
    sources: NDArray[np.str_]
    outliers: Pictures
    kinds: NDArray[np.str_]
    families: dict[str, str]


def read_novelty_set(root: Path, cache: Path, count: int) -> NoveltySet:
    """At most 450 slices a source (`views64` too, which nothing was ever trained on), and `count` pictures a kind."""
    from model_export.novelty import draw_outliers  # noqa: PLC0415 - torch, where the set alone needs none

    kept = cache / "novelty" / f"pictures-{SIZE}-{SLICES_A_SOURCE}-{count}.npz"
    if not kept.exists():
        random = np.random.default_rng(SEED)
        real, sources = _real(root, cache / "pictures", Preprocessing(size=SIZE), random)
        kinds = all_kinds(root, random)
        outliers, names = draw_outliers(kinds, SIZE, count)
        families = np.repeat([kind.family for kind in kinds], count)
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, real=real, sources=sources, outliers=outliers, kinds=names, families=families)
    with np.load(kept) as found:
        family_of = dict(zip(found["kinds"].tolist(), found["families"].tolist(), strict=True))
        return NoveltySet(found["real"], found["sources"], found["outliers"], found["kinds"], family_of)


def all_kinds(root: Path, random: np.random.Generator) -> tuple[OutlierKind, ...]:
    """Every kind there is here; brains are cut up from slices drawn with `random`."""
    records = read_slices(root)
    brains = [read_gray(records[index].image) for index in random.choice(len(records), BRAINS)]
    return (*made_kinds(), *packaged_kinds(), *dicom_kinds(root), *brain_kinds(brains))


def _real(
    root: Path, cache: Path, preprocessing: Preprocessing, random: np.random.Generator
) -> tuple[Pictures, NDArray[np.str_]]:
    samples, _ = view_samples(root, Fold(0))
    images = view_pictures(samples, preprocessing, cache).images[:, 0]
    of_sample = np.array([sample.source for sample in samples])
    pictures: list[Pictures] = []
    sources: list[str] = []
    for source in np.unique(of_sample):
        drawn = np.sort(random.permutation(np.flatnonzero(of_sample == source))[:SLICES_A_SOURCE])
        pictures.append(images[drawn])
        sources += [str(source)] * len(drawn)
    for source in ("br35h", "sartaj"):
        paths = [record.image for record in read_slices(root) if record.source == source]
        pictures.append(np.stack([preprocessing.apply(read_gray(path))[0] for path in paths]))
        sources += [source] * len(paths)
    folder = root / "views64"
    with (folder / "index.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    drawn = np.sort(random.permutation(len(rows))[:SLICES_A_SOURCE])
    pictures.append(np.stack([preprocessing.apply(read_gray(folder / rows[n]["image"]))[0] for n in drawn]))
    sources += ["views64"] * len(drawn)
    return np.concatenate(pictures), np.array(sources)


def turned_slices(found: NoveltySet) -> dict[str, tuple[Pictures, NDArray[np.str_]]]:
    """Some slices of each source, turned and mirrored in every way, with their sources."""
    random = np.random.default_rng(SEED)
    drawn = np.concatenate(
        [random.permutation(np.flatnonzero(found.sources == s))[:TURNED_A_SOURCE] for s in np.unique(found.sources)]
    )
    some, sources = found.real[drawn], found.sources[drawn]
    ways = (
        np.rot90(some, 1, (1, 2)),
        np.rot90(some, 2, (1, 2)),
        np.rot90(some, 3, (1, 2)),
        some[:, :, ::-1],
        some[:, ::-1],
    )
    return {name: (np.ascontiguousarray(way), sources) for name, way in zip(TURNS, ways, strict=True)}


def rim_slices(root: Path) -> tuple[Pictures, NDArray[np.str_]]:
    """The outermost slices of some volumes in three planes, as far as they show anything at all, with their sources."""
    preprocessing = Preprocessing(size=SIZE)
    pictures, sources = [], []
    for kind in ("normal", "brats"):
        for case in read_volumes(root, kind)[:RIM_CASES]:
            name = next(name for name in case.arrays if name != "seg")
            for plane in PLANES:
                for share in _RIM:
                    pixels = case.slice(name, plane, int(share * (case.depth(plane) - 1)))
                    if np.ptp(pixels) >= 16:
                        pictures.append(preprocessing.apply(pixels)[0])
                        sources.append(kind)
    return np.stack(pictures), np.array(sources)
