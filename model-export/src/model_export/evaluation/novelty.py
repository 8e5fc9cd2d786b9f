"""How well the gate at the door tells brain slices from others, on sources and kinds that it was not fitted on."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from model_export.architectures.view import ViewNetwork
from model_export.datasets.novelty_set import NoveltySet, read_novelty_set, rim_slices, turned_slices
from model_export.evaluation.novelty_result import (
    BORDERLINE,
    PICTURES_A_KIND,
    ArmResult,
    KindResult,
    NoveltyResult,
    SourceResult,
    TurnedResult,
)
from model_export.novelty import pooled_features
from model_export.novelty_statistics import NoveltyStatistics, fit_statistics

PARTS = 3
FITTED_FAMILIES = frozenset({"made", "drawn body part", "package picture", "real DICOM", "brain destroyed"})
EXTERNAL = "views64"
IMAGENET = "weights/mobilenet_v2_imagenet_fp16.pt"

Features = NDArray[np.float32]


class Scores:
    """Features of everything that one network is judged on."""

    def __init__(self, network: nn.Module, found: NoveltySet, root: Path, kept: Path) -> None:
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            pictures = {"real": found.real, "outliers": found.outliers}
            turned = turned_slices(found) | {"rim": rim_slices(root)}
            pictures |= {f"turned/{name}": images for name, (images, _) in turned.items()}
            arrays = {name: pooled_features(network, images) for name, images in pictures.items()}
            names = {f"of/{name}": sources for name, (_, sources) in turned.items()}
            np.savez(kept, **arrays, **names)  # type: ignore[arg-type]
        with np.load(kept) as stored:
            self.real: Features = stored["real"]
            self.outliers: Features = stored["outliers"]
            keys = [key.removeprefix("turned/") for key in stored.files if key.startswith("turned/")]
            self.turned = {key: (stored[f"turned/{key}"], stored[f"of/{key}"]) for key in keys}


def evaluate_novelty(
    root: Path, cache: Path, networks: Mapping[str, tuple[str, ViewNetwork]], report: Callable[[str], None]
) -> NoveltyResult:
    """Judge each network's features; `networks` maps an arm to a word on its weights and the network."""
    found = read_novelty_set(root, cache, PICTURES_A_KIND)
    report(f"{len(found.real)} real slices, {len(found.families)} kinds of other pictures")
    arms = {}
    for name, (weights, network) in networks.items():
        kept = cache / "novelty" / f"features-{name}-{_fingerprint(network)}.npz"
        arms[name] = judge_arm(weights, found, Scores(network, found, root, kept))
        report(f"{name}: AUROC {arms[name].auroc:.4f}, false refusals {arms[name].false_refusals:.2%}")
    return NoveltyResult(arms=arms)


def judge_arm(weights: str, found: NoveltySet, scores: Scores) -> ArmResult:
    """Leave out one source and one part of the kinds at a time."""
    judged: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in found.families}
    turned: dict[str, list[tuple[float, float]]] = {name: [] for name in scores.turned}
    sources: dict[str, SourceResult] = {}
    part_of = _parts(found.families)
    for source in sorted(set(found.sources.tolist())):
        kept, rows, aurocs = found.sources != source, [], []
        for part in range(PARTS):
            fitting = np.array([part_of.get(kind, part) != part for kind in found.kinds])
            fitted = _fit(scores, found, kept, fitting)
            inside = fitted.novelty(scores.real[~kept])
            outside = fitted.novelty(scores.outliers)
            rows.append((*_shares(inside, fitted), fitted.review_above, fitted.refuse_above))
            for kind, family in found.families.items():
                if part_of.get(kind, part) != part:
                    continue
                values = outside[found.kinds == kind]
                judged[kind].append((auroc(inside, values), *_shares(values, fitted)))
                if family != BORDERLINE:
                    aurocs.append(judged[kind][-1][0])
            for name, (features, of) in scores.turned.items():
                if (of == source).any():
                    turned[name].append(_shares(fitted.novelty(features[of == source]), fitted))
        means = np.mean(rows, axis=0)
        sources[source] = SourceResult(
            slices=int((~kept).sum()),
            auroc=float(np.mean(aurocs)),
            false_refusals=float(means[0]),
            for_review=float(means[1] - means[0]),
            review_above=float(means[2]),
            refuse_above=float(means[3]),
        )
    kinds = {kind: _kind(found.families[kind], rows) for kind, rows in judged.items()}
    counted = [kind for kind in kinds.values() if kind.family != BORDERLINE]
    return ArmResult(
        weights=weights,
        auroc=float(np.mean([kind.auroc for kind in counted])),
        refused=float(np.mean([kind.refused for kind in counted])),
        refused_or_reviewed=float(np.mean([kind.refused_or_reviewed for kind in counted])),
        false_refusals=float(np.mean([source.false_refusals for source in sources.values()])),
        for_review=float(np.mean([source.for_review for source in sources.values()])),
        kinds=kinds,
        sources=sources,
        turned={
            name: TurnedResult(
                slices=len(scores.turned[name][0]),
                false_refusals=float(np.mean([refused for refused, _ in rows])),
                for_review=float(np.mean([reviewed - refused for refused, reviewed in rows])),
            )
            for name, rows in turned.items()
        },
    )


def auroc(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """How probably an outlier is stranger than a slice; a tie counts half."""
    ordered = np.sort(inside)
    below = np.searchsorted(ordered, outside, "left") + np.searchsorted(ordered, outside, "right")
    return float(below.mean() / 2 / len(inside))


def imagenet_network(root: Path) -> ViewNetwork:
    """The encoder as it was before any brain slice: trained on photos alone."""
    network = ViewNetwork()
    network.encoder.load_imagenet(torch.load(root / IMAGENET, weights_only=True))
    return network


def _fit(scores: Scores, found: NoveltySet, kept: NDArray[np.bool_], fitting: NDArray[np.bool_]) -> NoveltyStatistics:
    features, sources = scores.real[kept], found.sources[kept]
    more = [(values[of != _left_out(found, kept)], of[of != _left_out(found, kept)]) for values, of in _turns(scores)]
    real = np.concatenate([features, *(values for values, _ in more)])
    names = np.concatenate([sources, *(of for _, of in more)])
    return fit_statistics(real, scores.outliers[fitting], names)


def _turns(scores: Scores) -> list[tuple[Features, NDArray[np.str_]]]:
    return [scores.turned[name] for name in ("quarter", "half", "three_quarters")]


def _left_out(found: NoveltySet, kept: NDArray[np.bool_]) -> str:
    return str(found.sources[~kept][0])


def _parts(families: Mapping[str, str]) -> dict[str, int]:
    fitted = [kind for kind, family in families.items() if family in FITTED_FAMILIES]
    themes = sorted({_theme(kind) for kind in fitted})
    order = np.random.default_rng(1).permutation(len(themes))
    part_of = {themes[index]: place % PARTS for place, index in enumerate(order)}
    return {kind: part_of[_theme(kind)] for kind in fitted}


def _theme(kind: str) -> str:
    """What a picture shows: `knee` for `drawn_knee_mr` and for `real_knee_mr`."""
    return kind.split("_")[1] if kind.startswith(("drawn_", "real_")) else kind


def _shares(values: NDArray[np.float64], fitted: NoveltyStatistics) -> tuple[float, float]:
    return float(np.mean(values > fitted.refuse_above)), float(np.mean(values > fitted.review_above))


def _kind(family: str, rows: list[tuple[float, float, float]]) -> KindResult:
    area, refused, either = np.mean(rows, axis=0)
    return KindResult(family=family, auroc=float(area), refused=float(refused), refused_or_reviewed=float(either))


def _fingerprint(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for tensor in network.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:12]
