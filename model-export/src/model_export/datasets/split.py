"""The group rule: a patient is never on both sides of a split."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PARTS = ("train", "calibration", "test")
SHARES = (0.7, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class GroupSplit:
    """Disjoint sets of groups. Calibration is for early stopping and thresholds; test is touched by evaluation only."""

    train: frozenset[str]
    calibration: frozenset[str]
    test: frozenset[str]

    def __post_init__(self) -> None:
        if self.train & self.calibration or self.train & self.test or self.calibration & self.test:
            raise ValueError("a group is on two sides of the split")

    def part(self, name: str) -> frozenset[str]:
        """The groups of `train`, `calibration` or `test`."""
        if name not in PARTS:
            raise KeyError(name)
        found: frozenset[str] = getattr(self, name)
        return found

    def counts(self) -> dict[str, int]:
        """How many groups each part has."""
        return {name: len(self.part(name)) for name in PARTS}

    def sha256(self) -> str:
        """Hex digest of the sorted group lists: proves which patients were seen."""
        lists = {name: sorted(self.part(name)) for name in PARTS}
        return hashlib.sha256(json.dumps(lists, separators=(",", ":")).encode()).hexdigest()


def split_groups(groups: Sequence[str], strata: Sequence[str], seed: int) -> GroupSplit:
    """Split by group, so that each stratum's slices fall 70 / 10 / 20 as nearly as whole groups allow.

    Args:
        groups: the group of each slice.
        strata: the stratum (say class and source) of each slice; a group belongs to the stratum of most its slices.
        seed: the order in which groups are dealt.
    """
    sizes = Counter(groups)
    votes: dict[str, Counter[str]] = {group: Counter() for group in sizes}
    for group, stratum in zip(groups, strata, strict=True):
        votes[group][stratum] += 1
    stratum_of = {group: max(sorted(found), key=found.__getitem__) for group, found in votes.items()}
    parts: dict[str, set[str]] = {name: set() for name in PARTS}
    for stratum in sorted(set(stratum_of.values())):
        members = sorted(group for group, of in stratum_of.items() if of == stratum)
        random.Random(f"{seed}/{stratum}").shuffle(members)  # noqa: S311 - a split, no secret
        total = sum(sizes[group] for group in members)
        filled = dict.fromkeys(PARTS, 0)
        for group in members:
            lack = {name: 1 - filled[name] / (share * total) for name, share in zip(PARTS, SHARES, strict=True)}
            part = max(PARTS, key=lambda name: lack[name])
            filled[part] += sizes[group]
            parts[part].add(group)
    return GroupSplit(*(frozenset(parts[name]) for name in PARTS))


def split_by_slice(count: int, seed: int) -> GroupSplit:
    """The leaky split, for the figure that shows what leakage is worth: every slice is its own group."""
    names = [f"slice-{index}" for index in range(count)]
    return split_groups(names, ["all"] * count, seed)


def members(groups: Iterable[str], part: frozenset[str]) -> list[int]:
    """Positions of the slices whose group is in `part`."""
    return [index for index, group in enumerate(groups) if group in part]
