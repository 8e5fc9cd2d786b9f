"""Is the tumor model's heat map to be believed? Where it points, and whether the answer hangs on what it marks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.pictures import place_mask, read_gray
from model_export.datasets.tumor_set import TumorSample
from model_export.evaluation.heat_map import Advantage, Agreement, Curve, Faithfulness, Pointing
from model_export.evaluation.mean_interval import group_mean
from model_export.evaluation.metrics import softmax
from model_export.evaluation.occlusion import area_under, center_prior, curves, importance_order
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.rank_correlation import rank_correlation
from service_kit.contracts.common import TUMOR_LABELS
from service_kit.inference.preprocessing import Preprocessing

_NO_TUMOR = TUMOR_LABELS.index("no_tumor")
_BATCH = 16
GradCam = Callable[[NDArray[np.uint8], NDArray[np.float32], int], dict[str, NDArray[np.floating]]]
"""Image `[1, S, S]`, view features `[128]`, class -> Grad-CAM maps on the published map's grid, by layer."""


@dataclass(frozen=True)
class _Explained:
    """One slice with its answer: input, features, class explained, map `[h, w]`, and where the tumor is `[h, w]`."""

    group: str
    image: NDArray[np.uint8]
    features: NDArray[np.float32]
    label: int
    answered: int
    heat: NDArray[np.float64]
    touched: NDArray[np.bool_]


def measure_faithfulness(
    view: PublishedModel,
    tumor: PublishedModel,
    samples: Sequence[TumorSample],
    *,
    curve_slices: int = 100,
    seed: int = 0,
    grad_cam: GradCam | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Faithfulness:
    """Explain every sample that has an outline; delete and insert on some of those that were called a tumor.

    Args:
        view: the view model whose features `tumor` reads.
        tumor: the tumor model; neither saw the samples' patients.
        samples: slices of T1.
        curve_slices: how many slices get deletion and insertion curves, and Grad-CAM.
        seed: which ones, and the random order.
        grad_cam: maps to compare with; None leaves the comparison out.
        report: told of progress.

    Raises:
        ValueError: no sample has an outline, or none of them is called a tumor.
    """
    explained = _explain(view, tumor, [s for s in samples if s.mask is not None])
    report(f"heat maps: {len(explained)} slices explained")
    side = explained[0].heat.shape[0] if explained else 0
    called = [item for item in explained if item.answered != _NO_TUMOR]
    if not called:
        raise ValueError("no slice with an outline is called a tumor: there is no heat map to judge")
    random = np.random.default_rng(seed)
    chosen = random.choice(len(called), min(curve_slices, len(called)), replace=False)
    drawn = [called[position] for position in sorted(chosen.tolist())]
    orders: dict[str, Callable[[_Explained], NDArray[np.int64]]] = {
        "heat map": lambda item: importance_order(item.heat),
        "center prior": lambda _: importance_order(center_prior(side)),
        "random": lambda _: random.permutation(side * side),
    }
    found = {name: [_curves(tumor, item, order(item), side) for item in drawn] for name, order in orders.items()}
    report(f"heat maps: deletion and insertion on {len(drawn)} slices")
    groups = [item.group for item in drawn]
    return Faithfulness(
        slices=len(explained),
        curve_slices=len(drawn),
        side=side,
        pointing=_pointing(explained, side),
        curves=tuple(_curve(name, rows, groups) for name, rows in found.items()),
        advantages=tuple(
            _advantage(name, found["heat map"], found[name], groups) for name in ("center prior", "random")
        ),
        agreements=_agreements(drawn, grad_cam) if grad_cam else (),
    )


def _explain(view: PublishedModel, tumor: PublishedModel, samples: Sequence[TumorSample]) -> list[_Explained]:
    if tumor.manifest.preprocessing is None:
        raise ValueError("tumor has no preprocessing")
    explained = []
    for start in range(0, len(samples), _BATCH):
        part = samples[start : start + _BATCH]
        pixels = [s.load() for s in part]
        features = view.model.run({"image": np.stack([view.place(p)[0][None] for p in pixels])}, _BATCH)["features"]
        images = np.stack([tumor.place(p)[0][None] for p in pixels])
        answer = tumor.model.run({"image": images, "view_features": features}, _BATCH)
        for at, sample in enumerate(part):
            logits = answer["logits"][at].copy()
            answered = int(logits.argmax())
            logits[_NO_TUMOR] = -np.inf
            label = int(logits.argmax())
            heat = np.maximum(answer["cam"][at, label], 0.0).astype(np.float64)
            touched = touched_positions(sample, pixels[at], tumor.manifest.preprocessing, heat.shape[0])
            explained.append(_Explained(sample.group, images[at], features[at], label, answered, heat, touched))
    return explained


def touched_positions(
    sample: TumorSample, pixels: NDArray[np.uint8], preprocessing: Preprocessing, side: int
) -> NDArray[np.bool_]:
    """Which positions `[side, side]` of a map the sample's outline touches; none where it has no outline."""
    if sample.mask is None:
        return np.zeros((side, side), np.bool_)
    mask = (read_gray(sample.mask) > 127).astype(np.uint8)
    grid = place_mask(mask, preprocessing.place(pixels), preprocessing.size)
    step = preprocessing.size // side
    return np.asarray(grid.reshape(side, step, side, step).any(axis=(1, 3)), np.bool_)


def _pointing(explained: Sequence[_Explained], side: int) -> tuple[Pointing, ...]:
    maps: dict[str, Callable[[_Explained], NDArray[np.float64]]] = {
        "heat map": lambda item: item.heat,
        "center prior": lambda _: center_prior(side),
    }
    groups = [item.group for item in explained]
    rows = []
    for label, of in maps.items():
        hits = [float(item.touched.flat[int(of(item).argmax())]) for item in explained]
        inside = [float(of(item)[item.touched].sum() / max(float(of(item).sum()), 1e-12)) for item in explained]
        rows.append(Pointing(label=label, hit=group_mean(groups, hits), inside=group_mean(groups, inside)))
    chance = [float(item.touched.mean()) for item in explained]
    rows.append(Pointing(label="random", hit=group_mean(groups, chance), inside=group_mean(groups, chance)))
    return tuple(rows)


def _curves(
    tumor: PublishedModel, item: _Explained, order: NDArray[np.int64], side: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    def judge(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        features = np.repeat(item.features[None], len(pictures), axis=0)
        answer = tumor.model.run({"image": pictures[:, None], "view_features": features}, _BATCH)
        return softmax(answer["logits"])[:, item.label]

    return curves(item.image[0], order, side, judge)


Rows = list[tuple[NDArray[np.float64], NDArray[np.float64]]]


def _areas(rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    deletion, insertion = zip(*((area_under(gone), area_under(given)) for gone, given in rows), strict=True)
    return np.array(deletion), np.array(insertion)


def _curve(label: str, rows: Rows, groups: list[str]) -> Curve:
    deletion, insertion = _areas(rows)
    return Curve(
        label=label,
        deletion=tuple(np.mean([gone for gone, _ in rows], axis=0).tolist()),
        insertion=tuple(np.mean([given for _, given in rows], axis=0).tolist()),
        deletion_area=group_mean(groups, deletion),
        insertion_area=group_mean(groups, insertion),
    )


def _advantage(label: str, heat: Rows, other: Rows, groups: list[str]) -> Advantage:
    (deletion, insertion), (their_deletion, their_insertion) = _areas(heat), _areas(other)
    return Advantage(
        against=label,
        deletion=group_mean(groups, their_deletion - deletion),
        insertion=group_mean(groups, insertion - their_insertion),
    )


def _agreements(drawn: Sequence[_Explained], grad_cam: GradCam) -> tuple[Agreement, ...]:
    found: dict[str, list[float]] = {}
    for item in drawn:
        for layer, heat in grad_cam(item.image, item.features, item.label).items():
            found.setdefault(layer, []).append(rank_correlation(item.heat, heat))
    groups, out = np.array([item.group for item in drawn]), []
    for layer, values in found.items():
        array = np.array(values)
        ranked = np.isfinite(array)
        if not ranked.any():
            raise ValueError(f"Grad-CAM at {layer} is flat on every slice")
        out.append(
            Agreement(
                layer=layer,
                correlation=group_mean(groups[ranked], array[ranked]),
                median=float(np.median(array[ranked])),
                flat=int((~ranked).sum()),
            )
        )
    return tuple(out)
