"""What other commands measured and the report must not leave out: the gate at the door, and a training done again.

`model-export novelty` and `model-export reproduce` keep their results in the cache; the chapters show them.
"""

from pathlib import Path

from pydantic import BaseModel

from model_export.evaluation.novelty_result import NoveltyResult
from model_export.evaluation.reproduction_result import Reproduction
from model_export.evaluation.sections import CardFigures, Part, PartMissing, Place, Section, Table, Target

_ARMS = {"view": "the view network's features", "imagenet": "features that saw no brain"}
_LEAST_AUROC, _MOST_REFUSED = 0.98, 0.01


def kept(cache: Path, name: str) -> Path:
    """Where a command keeps the result that a chapter shows."""
    return cache / "evaluation" / f"{name}.json"


def keep(cache: Path, name: str, result: BaseModel) -> None:
    """Write it there."""
    path = kept(cache, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")


def measure_door(place: Place) -> NoveltyResult:
    """Read what `model-export novelty` measured. Raises `PartMissing` where it did not run."""
    return NoveltyResult.model_validate_json(_read(place, "novelty", "model-export novelty"))


def measure_again(place: Place) -> Reproduction:
    """Read what `model-export reproduce` measured. Raises `PartMissing` where it did not run."""
    return Reproduction.model_validate_json(_read(place, "reproduction", "model-export reproduce detector-cnn"))


def render_door(result: NoveltyResult) -> Section:
    """The two arms beside each other, and the aims."""
    arms = {name: result.arms[name] for name in _ARMS if name in result.arms}
    return Section(
        title="The gate at the door: brain slices told from other pictures",
        intro=(
            result.protocol,
            "The published gate has the view network's features; that network was trained on every source, so only its "
            "statistics and limits are judged on sources left out. The frozen ImageNet features saw none of them.",
        ),
        tables=(
            Table(
                ("features", "AUROC", "refused", "refused or for review", "brain slices refused", "for review"),
                tuple(
                    (_ARMS[name], a.auroc, a.refused, a.refused_or_reviewed, a.false_refusals, a.for_review)
                    for name, a in arms.items()
                ),
                note="Source by source and kind by kind: novelty.md.",
            ),
        ),
        targets=tuple(
            target
            for name, arm in arms.items()
            for target in (
                Target(name=f"door: AUROC, {_ARMS[name]}", measured=arm.auroc, limit=_LEAST_AUROC),
                Target(
                    name=f"door: brain slices refused, {_ARMS[name]}",
                    measured=arm.false_refusals,
                    limit=_MOST_REFUSED,
                    relation="at most",
                ),
            )
        ),
        cards={
            "view": CardFigures(
                summary={
                    "novelty: AUROC": arms["view"].auroc,
                    "novelty: brain slices refused": arms["view"].false_refusals,
                }
            )
        }
        if "view" in arms
        else {},
    )


def render_again(result: Reproduction) -> Section:
    """One row, and whether it is the same figure."""
    verdict = "reproduces" if result.reproduced else "does not reproduce"
    return Section(
        title="Trained again with the same seed",
        intro=(
            f"{result.name}, first fold, seed {result.seed}: the second training {verdict} the first's accuracy within "
            f"its interval. The largest difference between two weights is {result.largest_weight_difference:.1e}.",
        ),
        tables=(Table(("network", "first training", "again"), ((result.name, result.published, result.again),)),),
    )


def _read(place: Place, name: str, command: str) -> bytes:
    path = kept(place.cache, name)
    if not path.exists():
        raise PartMissing(f"not measured yet: {command}")
    return path.read_bytes()


PARTS = (
    Part(key="door", result=NoveltyResult, measure=measure_door, render=render_door),
    Part(key="again", result=Reproduction, measure=measure_again, render=render_again),
)
