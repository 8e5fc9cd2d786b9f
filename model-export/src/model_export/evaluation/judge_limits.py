"""The gateway's statistical limits, from what the networks find on patients that they never saw."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from model_export.datasets.slices import fold_slices
from model_export.datasets.split import FOLDS, Fold, members
from model_export.evaluation.contradictions import Finding, Networks, find
from model_export.evaluation.sella import MARGIN, SellaRegion, measure_sella
from service_kit.contracts.classification import ViewLabel
from service_kit.inference.region import Region

ALARM_RATE = 0.01
"""Each check may send at most this share of right answers to a reader."""
LEAST_PROBABILITIES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_NETWORKS = ("view", "tumor", "seg-t1")
_DECIMALS = 4


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Check(_Frozen):
    """What a check does: right and wrong answers that it looks at, and the shares that it sends to a reader.

    `right_flagged_cross_fitted` is the honest one: the limit that judges a fold is fitted on the others. None where
    there is a single fold.
    """

    right: int
    right_flagged: float
    right_flagged_cross_fitted: float | None
    wrong: int
    wrong_flagged: float


class Confidence(_Frozen):
    """What a least probability does: the share of slices that pass it with a set of one label, and how many err."""

    min_probability: float
    answered: float
    wrong: float


class Limits(_Frozen):
    """What the gateway's `fitted.json` holds."""

    max_share_without_tumor: float
    min_heat_share: float
    sella: dict[ViewLabel, Region]


class JudgeLimitsResult(_Frozen):
    """`docs/evaluation/judge.json`."""

    command: str
    origin: str
    networks: dict[str, str]
    slices: int
    groups: int
    alarm_rate: float
    sella_margin: float
    limits: Limits
    checks: dict[str, Check]
    confidence: tuple[Confidence, ...]
    sella: dict[ViewLabel, SellaRegion]


def fit_judge_limits(
    data: Path, cache: Path, models: Path, log: Callable[[str], Any], *, limit: int | None = None, threads: int = 1
) -> JudgeLimitsResult:
    """Run every fold's networks on its test patients and fit the limits on what they find.

    Where no fold has all three networks in `cache/folds`, the published ones judge the patients of the first fold, of
    which they have seen most: the result says so. `limit` takes about so many slices of each fold, for a quick look.
    """
    folders = {k: cache / "folds" / str(k) for k in range(FOLDS)}
    complete = {
        k: path for k, path in folders.items() if all((path / name / "manifest.json").exists() for name in _NETWORKS)
    }
    origin = f"out-of-fold networks, folds {', '.join(map(str, complete))}"
    if not complete:
        complete, origin = {0: models}, "published networks on patients of fold 0, most of whom they were trained on"
    findings: list[Finding] = []
    hashes: dict[str, str] = {}
    for index, folder in complete.items():
        networks = Networks.open(folder, models, threads)
        opened = (networks.view, networks.tumor, networks.outline)
        hashes |= {f"{index}/{each.manifest.name}": each.manifest.sha256 for each in opened}
        records, split = fold_slices(data, Fold(index))
        tested = [records[at] for at in members([r.group for r in records], split.test)]
        chosen = tested[:: max(1, len(tested) // (limit or len(tested)))]
        findings += find(networks, chosen, index)
        log(f"fold {index}: {len(chosen)} slices")
    sella = measure_sella(data, ALARM_RATE)
    limits, checks = fit(findings, {view: found.region for view, found in sella.items()})
    return JudgeLimitsResult(
        command="model-export judge-limits",
        origin=origin,
        networks=hashes,
        slices=len(findings),
        groups=len({finding.group for finding in findings}),
        alarm_rate=ALARM_RATE,
        sella_margin=MARGIN,
        limits=limits,
        checks=checks,
        confidence=tuple(confidence(findings, least) for least in LEAST_PROBABILITIES),
        sella=sella,
    )


def fit(findings: Sequence[Finding], sella: dict[ViewLabel, Region]) -> tuple[Limits, dict[str, Check]]:
    """The limits, and what each check does with them.

    Raises:
        ValueError: no right answer is there to fit a limit on.
    """
    clear = [f for f in findings if f.label == "no_tumor"]
    seen = [f for f in findings if f.label != "no_tumor" and f.heat_share is not None]
    share, share_check = _fit(clear, [-f.head_share for f in clear])
    heat, heat_check = _fit(seen, [f.heat_share or 0.0 for f in seen])
    placed = [f for f in seen if f.label == "pituitary" and f.view in sella]
    off = np.array([_off(sella, f) for f in placed], np.bool_)
    right = np.array([f.right for f in placed], np.bool_)
    limits = Limits(max_share_without_tumor=abs(share), min_heat_share=heat, sella=sella)
    checks = {
        "mask_without_tumor": share_check,
        "heat_off_mask": heat_check,
        "pituitary_off_sella": Check(
            right=int(right.sum()),
            right_flagged=_share(off[right]),
            right_flagged_cross_fitted=None,
            wrong=int((~right).sum()),
            wrong_flagged=_share(off[~right]),
        ),
    }
    return limits, checks


def confidence(findings: Sequence[Finding], least: float) -> Confidence:
    """How many slices are answered, and how many of those wrongly, when a label needs the probability `least`."""
    answered = [f for f in findings if f.alone and f.probability >= least]
    return Confidence(
        min_probability=least,
        answered=round(len(answered) / max(len(findings), 1), _DECIMALS),
        wrong=_share(np.array([not f.right for f in answered], np.bool_)),
    )


def lower_limit(values: NDArray[np.float64]) -> float:
    """The largest limit (rounded down) below which at most `ALARM_RATE` of the values lie."""
    allowed = int(ALARM_RATE * len(values))
    scale = 10**_DECIMALS
    return float(np.floor(np.sort(values)[allowed] * scale) / scale)


def _fit(findings: Sequence[Finding], values: Sequence[float]) -> tuple[float, Check]:
    measured = np.array(values, np.float64)
    right = np.array([f.right for f in findings], np.bool_)
    folds = np.array([f.fold for f in findings], np.int64)
    if not right.any():
        raise ValueError("no right answer: there is nothing to fit a limit on")
    limit = lower_limit(measured[right])
    crossed: list[NDArray[np.bool_]] = []
    for fold in np.unique(folds):
        others, own = right & (folds != fold), right & (folds == fold)
        if others.any():
            crossed.append(measured[own] < lower_limit(measured[others]))
    return limit, Check(
        right=int(right.sum()),
        right_flagged=_share(measured[right] < limit),
        right_flagged_cross_fitted=_share(np.concatenate(crossed)) if crossed else None,
        wrong=int((~right).sum()),
        wrong_flagged=_share(measured[~right] < limit),
    )


def _off(sella: dict[ViewLabel, Region], finding: Finding) -> bool:
    """As served for a picture: which side is the front is not known."""
    region = next(region for view, region in sella.items() if view == finding.view)
    return finding.place is not None and not region.mirrored().holds(finding.place)


def _share(flags: NDArray[np.bool_]) -> float:
    return round(float(flags.mean()), _DECIMALS) if len(flags) else 0.0
