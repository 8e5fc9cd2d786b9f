"""The group rule: a patient is never on both sides of a split."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FOLDS = 5
DEFAULT_SEED = 20
_VALIDATION_PARTS = 10


@dataclass(frozen=True, slots=True)
class Fold:
    """One turn of the grouped cross-validation: part `index` of five is tested, the other four train.

    `index` None is the published network: every patient trains and none is left to test. `leaky` deals single slices
    in place of whole patients: the figure that shows what leakage is worth, never published.
    """

    index: int | None = 0
    seed: int = DEFAULT_SEED
    leaky: bool = False

    def __post_init__(self) -> None:
        if self.index is not None and not 0 <= self.index < FOLDS:
            raise ValueError(f"a fold is one of 0 to {FOLDS - 1}")

    @property
    def label(self) -> str:
        """How files of this fold are called: `fold-0` to `fold-4`, `all`, or `leaky`."""
        if self.leaky:
            return "leaky"
        return "all" if self.index is None else f"fold-{self.index}"


@dataclass(frozen=True, slots=True)
class GroupSplit:
    """Disjoint sets of groups. `validation` is for early stopping, where a recipe asks for it; test for judging."""

    train: frozenset[str]
    test: frozenset[str]
    validation: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.train & self.validation or self.train & self.test or self.validation & self.test:
            raise ValueError("a group is on two sides of the split")

    def counts(self) -> dict[str, int]:
        """How many groups each part has."""
        return {"train": len(self.train), "validation": len(self.validation), "test": len(self.test)}

    def sha256(self) -> str:
        """Hex digest of the sorted group lists: proves which patients were seen."""
        lists = {"train": sorted(self.train), "validation": sorted(self.validation), "test": sorted(self.test)}
        return hashlib.sha256(json.dumps(lists, separators=(",", ":")).encode()).hexdigest()

    def with_validation(self, seed: int) -> "GroupSplit":
        """A tenth of the training groups is set aside, for early stopping."""
        names = sorted(self.train)
        random.Random(f"{seed}/validation").shuffle(names)  # noqa: S311 - a split, no secret
        aside = frozenset(names[: len(names) // _VALIDATION_PARTS])
        return GroupSplit(self.train - aside, self.test, self.validation | aside)


def split_groups(groups: Sequence[str], strata: Sequence[str], fold: Fold) -> GroupSplit:
    """Deal whole groups into five parts, so that each stratum's slices fall as evenly as whole groups allow.

    Args:
        groups: the group of each slice.
        strata: the stratum (say class and source) of each slice; a group belongs to the stratum of most its slices.
        fold: which part is tested, and the seed of the dealing.
    """
    sizes = Counter(groups)
    votes: dict[str, Counter[str]] = {group: Counter() for group in sizes}
    for group, stratum in zip(groups, strata, strict=True):
        votes[group][stratum] += 1
    stratum_of = {group: max(sorted(found), key=found.__getitem__) for group, found in votes.items()}
    parts: list[set[str]] = [set() for _ in range(FOLDS)]
    for stratum in sorted(set(stratum_of.values())):
        names = sorted(group for group, of in stratum_of.items() if of == stratum)
        random.Random(f"{fold.seed}/{stratum}").shuffle(names)  # noqa: S311 - a split, no secret
        # Large groups first: the small ones level out what is left. The start differs, so that part 0 is not favored.
        names.sort(key=lambda group: -sizes[group])
        start = int(hashlib.sha256(stratum.encode()).hexdigest(), 16) % FOLDS
        filled = [0] * FOLDS
        for group in names:
            part = min(range(FOLDS), key=lambda p: (filled[p], (p - start) % FOLDS))
            filled[part] += sizes[group]
            parts[part].add(group)
    if fold.index is None:
        return GroupSplit(frozenset(sizes), frozenset())
    test = frozenset(parts[fold.index])
    return GroupSplit(frozenset(sizes) - test, test)


def merge_splits(splits: Sequence[GroupSplit]) -> GroupSplit:
    """The splits of several sets as one. Raises `ValueError` where a group would be on two sides."""
    return GroupSplit(
        frozenset[str]().union(*(split.train for split in splits)),
        frozenset[str]().union(*(split.test for split in splits)),
        frozenset[str]().union(*(split.validation for split in splits)),
    )


def members(groups: Iterable[str], part: frozenset[str]) -> list[int]:
    """Positions of the slices whose group is in `part`."""
    return [index for index, group in enumerate(groups) if group in part]
