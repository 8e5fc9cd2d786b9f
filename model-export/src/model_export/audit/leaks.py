"""Leaks of a split: a group on two sides, or copies of one slice on two sides."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from model_export.audit.findings import Finding, Kind


def find_leaks(groups: Sequence[str], split: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The groups that lie on more than one side, with their sides, both sorted.

    Raises `ValueError` where the sequences differ in length.
    """
    sides: defaultdict[str, set[str]] = defaultdict(set)
    for group, side in zip(groups, split, strict=True):
        sides[group].add(side)
    return {group: tuple(sorted(sides[group])) for group in sorted(sides) if len(sides[group]) > 1}


def audit_split(
    keys: Sequence[str],
    groups: Sequence[str],
    split: Sequence[str],
    content_hashes: Sequence[str] | None = None,
    near_duplicates: Iterable[tuple[str, str]] = (),
) -> list[Finding]:
    """Every leak: groups on two sides, keys on two sides, equal contents on two sides, near duplicates on two sides.

    Args:
        keys: the name of each slice.
        groups: the group (patient) of each slice.
        split: the side of each slice.
        content_hashes: of each slice's decoded pixels, or None where they are not at hand.
        near_duplicates: pairs of keys that show the same; a pair with an unknown key says nothing here.

    Raises:
        ValueError: the sequences differ in length.
    """
    found = [
        Finding(kind=Kind.GROUP_LEAK, keys=(group,), detail=f"group {group} is in {' and '.join(sides)}")
        for group, sides in find_leaks(groups, split).items()
    ]
    side_of: defaultdict[str, set[str]] = defaultdict(set)
    for key, side in zip(keys, split, strict=True):
        side_of[key].add(side)
    found += [
        Finding(kind=Kind.SIDES, keys=(key,), detail=f"{key} itself is in {' and '.join(sorted(sides))}")
        for key, sides in sorted(side_of.items())
        if len(sides) > 1
    ]
    if content_hashes is not None:
        found += _equal_contents(keys, split, content_hashes)
    for first, second in near_duplicates:
        sides = side_of.get(first, set()) | side_of.get(second, set())
        if first in side_of and second in side_of and len(sides) > 1:
            detail = f"{first} and {second} show the same and are in {' and '.join(sorted(sides))}"
            found.append(Finding(kind=Kind.SIDES, keys=(first, second), detail=detail))
    return found


def _equal_contents(keys: Sequence[str], split: Sequence[str], content_hashes: Sequence[str]) -> list[Finding]:
    holders: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for key, side, content in zip(keys, split, content_hashes, strict=True):
        holders[content].append((key, side))
    found = []
    for members in holders.values():
        names, sides = sorted({key for key, _ in members}), sorted({side for _, side in members})
        if len(names) > 1 and len(sides) > 1:
            detail = f"{', '.join(names)} have the same pixels and are in {' and '.join(sides)}"
            found.append(Finding(kind=Kind.SIDES, keys=tuple(names), detail=detail))
    return found
