"""The whole audit of one set or several: read, compare, judge."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model_export.audit.entries import Entry
from model_export.audit.findings import AuditReport, DuplicatePair, Finding, Kind, Probe
from model_export.audit.leaks import find_leaks
from model_export.audit.matching import SAME, find_matches
from model_export.audit.merge import merged_groups
from model_export.audit.pictures import Picture, UnreadablePicture, read_picture
from model_export.audit.probes import TooFewPictures, run_probes

Tick = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Audited:
    """The report, and the small pictures that its page shows, by key."""

    report: AuditReport
    pictures: dict[str, Picture]


def audit(entries: Sequence[Entry], *, same: float = SAME, seed: int = 0, tick: Tick | None = None) -> Audited:
    """Audit pictures.

    Args:
        entries: the pictures, each key once.
        same: correlation from which on two pictures are near duplicates.
        seed: of the probes' folds and shuffling.
        tick: told the step, and how much of how much is done.
    """
    told: Tick = tick or (lambda *_: None)
    pictures: dict[str, Picture] = {}
    findings: list[Finding] = []
    for number, entry in enumerate(entries):
        try:
            pictures[entry.key] = read_picture(entry.path)
        except UnreadablePicture as error:
            findings.append(Finding(kind=Kind.CORRUPT, keys=(entry.key,), detail=f"{entry.key}: {error}"))
        told("reading", number + 1, len(entries))
    readable = [entry for entry in entries if entry.key in pictures]
    for entry in readable:
        if pictures[entry.key].is_constant:
            detail = f"{entry.key} is empty: all its pixels are equal"
            findings.append(Finding(kind=Kind.CONSTANT, keys=(entry.key,), detail=detail))
    pairs = find_pairs([e for e in readable if not pictures[e.key].is_constant], pictures, same, told)
    findings += [finding for pair in pairs for finding in _judged(pair)]
    known = [(e.group, e.side) for e in readable if e.group is not None and e.side is not None]
    for group, sides in find_leaks([group for group, _ in known], [side for _, side in known]).items():
        detail = f"group {group} is in {' and '.join(sides)}"
        findings.append(Finding(kind=Kind.GROUP_LEAK, keys=(group,), detail=detail))
    probes, skipped = _probed(readable, pictures, pairs, seed, told)
    for probe in probes:
        if probe.flagged:
            detail = f"{probe.name} alone tells the class with {probe.accuracy.value:.3f} (chance {probe.chance:.3f})"
            findings.append(Finding(kind=Kind.SHORTCUT, keys=(probe.name,), detail=detail))
    report = AuditReport(
        pictures=len(readable),
        unreadable=len(entries) - len(readable),
        groups=len({entry.group for entry in readable if entry.group is not None}),
        sizes=_counted([f"{p.width} x {p.height}" for p in pictures.values()]),
        modes=_counted([p.mode for p in pictures.values()]),
        labels=_counted([entry.label for entry in readable if entry.label is not None]),
        sides=_counted([entry.side for entry in readable if entry.side is not None]),
        findings=findings,
        pairs=pairs,
        probes=probes,
        probes_skipped=skipped,
    )
    return Audited(report, pictures)


def find_pairs(entries: Sequence[Entry], pictures: dict[str, Picture], same: float, tick: Tick) -> list[DuplicatePair]:
    """All pairs of copies among readable pictures that show something: exact ones first, then near ones."""
    holders: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        holders[pictures[entry.key].content].append(entry)
    exact = [_pair(members[0], other, 1.0, exact=True) for members in holders.values() for other in members[1:]]
    # One of several equal pictures stands for all of them: its near duplicates are theirs.
    single = [members[0] for members in holders.values()]
    if len(single) < 2:
        return exact
    matches = find_matches(
        np.stack([pictures[entry.key].plain for entry in single]),
        np.stack([pictures[entry.key].upright for entry in single]),
        same,
        lambda done, total: tick("aligning", done, total),
    )
    near = [
        _pair(
            single[match.first],
            single[match.second],
            match.correlation,
            turn=match.turn,
            upright=match.upright,
            aligned=match.aligned,
        )
        for match in matches
    ]
    return exact + near


def _pair(first: Entry, second: Entry, correlation: float, **more: int | bool) -> DuplicatePair:
    return DuplicatePair.model_validate(
        {
            "first": first.key,
            "second": second.key,
            "correlation": round(correlation, 4),
            "first_group": first.group,
            "second_group": second.group,
            "first_label": first.label,
            "second_label": second.label,
            "first_side": first.side,
            "second_side": second.side,
            **more,
        }
    )


def _judged(pair: DuplicatePair) -> list[Finding]:
    """What is wrong about a pair: where it lies, and whether its labels contradict each other."""
    keys, how = (pair.first, pair.second), "the same pixels" if pair.exact else f"the same, {pair.correlation:.3f}"
    shown = f"{pair.first} and {pair.second} show {how}"
    if pair.crosses_sides:
        place = Finding(kind=Kind.SIDES, keys=keys, detail=f"{shown}; in {pair.first_side} and {pair.second_side}")
    elif pair.crosses_groups:
        detail = f"{shown}; in groups {pair.first_group} and {pair.second_group}"
        place = Finding(kind=Kind.GROUPS, keys=keys, detail=detail)
    else:
        kind = Kind.EXACT_DUPLICATE if pair.exact else Kind.NEAR_DUPLICATE
        place = Finding(kind=kind, keys=keys, detail=shown)
    if not pair.labels_differ:
        return [place]
    detail = f"{shown}; labeled {pair.first_label} and {pair.second_label}"
    return [place, Finding(kind=Kind.LABEL_CONFLICT, keys=keys, detail=detail)]


def _probed(
    entries: Sequence[Entry], pictures: dict[str, Picture], pairs: Sequence[DuplicatePair], seed: int, tick: Tick
) -> tuple[list[Probe], str | None]:
    labeled = [entry for entry in entries if entry.label is not None]
    if not labeled:
        return [], "no labels"
    # A picture of unknown group is a group of its own; the key cannot be mistaken for a group's name.
    own = [entry.group if entry.group is not None else f"\0{entry.key}" for entry in labeled]
    group_of = dict(zip((entry.key for entry in labeled), own, strict=True))
    known = [(p.first, p.second) for p in pairs if p.first in group_of and p.second in group_of]
    merged = merged_groups(own, [(group_of[first], group_of[second]) for first, second in known])
    labels = [entry.label for entry in labeled if entry.label is not None]
    try:
        shown = [pictures[entry.key] for entry in labeled]
        return run_probes(shown, labels, own, merged, seed, lambda name: tick(f"probe: {name}", 0, 1)), None
    except TooFewPictures as error:
        return [], str(error)


def _counted(names: Sequence[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())
