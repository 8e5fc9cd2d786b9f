"""What distortions cost: the same few hundred test slices, judged as they are and distorted, by one fold's networks."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from model_export.evaluation.bootstrap import Estimate, group_bootstrap
from model_export.evaluation.distortions import DISTORTIONS, Distortion
from model_export.evaluation.mean_interval import group_mean
from model_export.evaluation.metrics import macro_f1
from model_export.evaluation.overlap import dice_scores, overlap_counts
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.robustness_set import LggPictures, T1Slice
from service_kit.contracts.common import TUMOR_LABELS, VIEW_LABELS
from service_kit.inference.manifest import Postprocessing
from service_kit.inference.postprocessing import postprocess
from service_kit.inference.preprocessing import Placement

FIGURES = ("view accuracy", "tumor accuracy", "tumor macro-F1", "seg-t1 Dice", "seg-flair-film Dice")
_CHUNK, _BATCH = 32, 8
Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[np.generic]]


class RobustnessRow(BaseModel):
    """One distortion: each figure's value, and its paired difference to the undistorted slices."""

    model_config = ConfigDict(frozen=True)

    distortion: str
    kind: str
    values: dict[str, float]
    changes: dict[str, Estimate]


class Robustness(BaseModel):
    """`clean` has the undistorted figures by name, `rows` one entry a distortion."""

    model_config = ConfigDict(frozen=True)

    slices: int
    lgg_slices: int
    clean: dict[str, Estimate]
    rows: tuple[RobustnessRow, ...]


@dataclass(frozen=True)
class Networks:
    """One fold's models, opened; `film` None leaves its figure out."""

    view: PublishedModel
    tumor: PublishedModel
    seg_t1: PublishedModel
    film: PublishedModel | None


@dataclass(frozen=True)
class _Answers:
    """A value a slice (or a patient's slice): NaN where a figure does not ask it, -1 for no class."""

    view_right: Floats
    tumor: NDArray[np.int64]
    t1_dice: Floats
    lgg_dice: Floats


def measure_robustness(
    networks: Networks,
    slices: Sequence[T1Slice],
    lgg: Sequence[LggPictures],
    *,
    seed: int = 0,
    distortions: Iterable[Distortion] = tuple(DISTORTIONS.values()),
    report: Callable[[str], None] = lambda _: None,
) -> Robustness:
    """Judge the slices as they are, then under each distortion.

    Args:
        networks: that saw none of the patients.
        slices: of T1, with and without a tumor.
        lgg: tumor slices; not used without `networks.film`.
        seed: of noise and bias fields; each slice has its own.
        distortions: "none" among them is passed over.
        report: told of each distortion.
    """
    truth = np.array([TUMOR_LABELS.index(s.label) for s in slices], np.int64)
    groups, lgg_groups = [s.group for s in slices], [s.group for s in lgg]
    clean = _answers(networks, slices, lgg, DISTORTIONS["none"], seed)
    rows = []
    for distortion in distortions:
        if distortion.kind == "none":
            continue
        found = _answers(networks, slices, lgg, distortion, seed)
        compared = _compared(clean, found, truth, groups, lgg_groups)
        values = {name: value for name, (value, _) in compared.items()}
        changes = {name: change for name, (_, change) in compared.items()}
        rows.append(RobustnessRow(distortion=distortion.name, kind=distortion.kind, values=values, changes=changes))
        report(f"robustness, {distortion.name}: " + ", ".join(f"{n} {c.value:+.3f}" for n, c in changes.items()))
    return Robustness(
        slices=len(slices),
        lgg_slices=len(lgg) if networks.film else 0,
        clean=_clean(clean, truth, groups, lgg_groups),
        rows=tuple(rows),
    )


def _answers(
    networks: Networks, slices: Sequence[T1Slice], lgg: Sequence[LggPictures], distortion: Distortion, seed: int
) -> _Answers:
    view_right, t1_dice = np.full(len(slices), np.nan), np.full(len(slices), np.nan)
    tumor = np.full(len(slices), -1, np.int64)
    for start in range(0, len(slices), _CHUNK):
        part = slices[start : start + _CHUNK]
        pixels = [distortion.change(s.pixels, _random(seed, s.key, distortion)) for s in part]
        seen = networks.view.model.run({"image": _grids(networks.view, pixels)}, _BATCH)
        arrays: Arrays = {"image": _grids(networks.tumor, pixels), "view_features": seen["features"]}
        tumor[start : start + len(part)] = networks.tumor.model.run(arrays, _BATCH)["logits"].argmax(axis=1)
        views = seen["logits"].argmax(axis=1)
        outlined = [at for at, s in enumerate(part) if s.truth is not None]
        dices = _outlined(networks.seg_t1, [pixels[at] for at in outlined], [part[at] for at in outlined], distortion)
        t1_dice[[start + at for at in outlined]] = dices
        for at, s in enumerate(part):
            if s.view is not None:
                view_right[start + at] = float(VIEW_LABELS[int(views[at])] == s.view)
    lgg_dice = np.array(_lgg_dices(networks.film, lgg, distortion, seed) if networks.film else [], np.float64)
    return _Answers(view_right, tumor, t1_dice, lgg_dice)


def _outlined(
    model: PublishedModel, pixels: Sequence[NDArray[np.uint8]], slices: Sequence[T1Slice], distortion: Distortion
) -> list[float]:
    if not slices:
        return []
    placed = [model.place(picture) for picture in pixels]
    planes = model.model.run({"image": np.stack([grid[None] for grid, _ in placed])}, _BATCH)["probabilities"][:, 0]
    truths = [distortion.truth(s.truth) for s in slices if s.truth is not None]
    return [_dice(model, *found) for found in zip(planes, [where for _, where in placed], truths, strict=True)]


def _lgg_dices(model: PublishedModel, lgg: Sequence[LggPictures], distortion: Distortion, seed: int) -> list[float]:
    """Dice of each slice with an empty record: what is tried here is the picture."""
    preprocessing, vector = model.manifest.preprocessing, np.array(model.manifest.clinical_default, np.float32)
    if preprocessing is None:
        raise ValueError(f"{model.manifest.name} reads no picture")
    dices = []
    for start in range(0, len(lgg), _CHUNK):
        part, stacks, placements = lgg[start : start + _CHUNK], [], []
        for item in part:
            pictures = {
                name: distortion.change(picture, _random(seed, f"{item.key}/{name}", distortion))
                for name, picture in item.pictures.items()
            }
            placements.append(preprocessing.place(pictures["flair"]))
            channels = [preprocessing.apply(pictures[n], placements[-1])[0] for n in model.manifest.sequences]
            stacks.append(np.stack(channels))
        arrays: Arrays = {"image": np.stack(stacks), "clinical": np.repeat(vector[None], len(part), axis=0)}
        planes = model.model.run(arrays, _BATCH)["probabilities"][:, 0]
        for plane, placement, item in zip(planes, placements, part, strict=True):
            dices.append(_dice(model, plane, placement, distortion.truth(item.truth)))
    return dices


def _dice(model: PublishedModel, plane: NDArray[np.float32], placement: Placement, truth: NDArray[np.uint8]) -> float:
    """On the truth's grid: the mask of a smaller picture is enlarged to it, each pixel by its nearest."""
    mask = postprocess(plane, placement, model.manifest.postprocessing or Postprocessing())
    if mask.shape != truth.shape:
        rows, columns = (np.arange(n) * m // n for n, m in zip(truth.shape, mask.shape, strict=True))
        mask = mask[np.ix_(rows, columns)]
    return float(dice_scores(overlap_counts(mask, truth)))


def _compared(
    clean: _Answers, found: _Answers, truth: NDArray[np.int64], groups: list[str], lgg_groups: list[str]
) -> dict[str, tuple[float, Estimate]]:
    classes = len(TUMOR_LABELS)

    def f1_change(at: NDArray[np.int64]) -> float:
        return macro_f1(truth[at], found.tumor[at], classes) - macro_f1(truth[at], clean.tumor[at], classes)

    right, before = found.tumor == truth, clean.tumor == truth
    out = {
        FIGURES[0]: _paired(found.view_right, clean.view_right, groups),
        FIGURES[1]: _paired(right.astype(np.float64), before.astype(np.float64), groups),
        FIGURES[2]: (macro_f1(truth, found.tumor, classes), group_bootstrap(groups, f1_change)),
        FIGURES[3]: _paired(found.t1_dice, clean.t1_dice, groups),
    }
    if len(found.lgg_dice):
        out[FIGURES[4]] = _paired(found.lgg_dice, clean.lgg_dice, lgg_groups)
    return out


def _paired(found: Floats, clean: Floats, groups: list[str]) -> tuple[float, Estimate]:
    asked = np.isfinite(found)
    return float(found[asked].mean()), group_mean(np.array(groups)[asked], (found - clean)[asked])


def _clean(clean: _Answers, truth: NDArray[np.int64], groups: list[str], lgg_groups: list[str]) -> dict[str, Estimate]:
    asked, outlined, of = np.isfinite(clean.view_right), np.isfinite(clean.t1_dice), np.array(groups)
    out = {
        FIGURES[0]: group_mean(of[asked], clean.view_right[asked]),
        FIGURES[1]: group_mean(of, clean.tumor == truth),
        FIGURES[2]: group_bootstrap(groups, lambda at: macro_f1(truth[at], clean.tumor[at], len(TUMOR_LABELS))),
        FIGURES[3]: group_mean(of[outlined], clean.t1_dice[outlined]),
    }
    if len(clean.lgg_dice):
        out[FIGURES[4]] = group_mean(lgg_groups, clean.lgg_dice)
    return out


def _grids(model: PublishedModel, pixels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack([model.place(picture)[0][None] for picture in pixels])


def _random(seed: int, key: str, distortion: Distortion) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(key.encode()), zlib.crc32(distortion.name.encode())])
