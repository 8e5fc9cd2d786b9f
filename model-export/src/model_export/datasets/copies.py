"""Slices of `t1_slices` that are copies of each other across groups: turned, mirrored, stretched or brightened.

Most such groups are one group (`joined_groups`). The audit's final matcher found some copies more: where a fold still
has one of them in training, the other is not judged. So it is with patients that upstream gave two names.
"""

import json
from pathlib import Path

from model_export.datasets.slices import SliceRecord
from model_export.datasets.split import GroupSplit

_COPIES = Path(__file__).with_name("copies.json")


def copy_pairs() -> list[tuple[str, str]]:
    """Names of the pictures that are copies of each other: pairs of both matchers that the audit has had."""
    pairs: list[list[str]] = json.loads(_COPIES.read_bytes())["pairs"]
    return [(first, second) for first, second in pairs]


def patient_pairs() -> list[tuple[str, str]]:
    """Groups that are one patient under two names: found by the audit, confirmed by eye."""
    pairs: list[list[str]] = json.loads(_COPIES.read_bytes())["patients"]
    return [(first, second) for first, second in pairs]


def copied_in_training(records: list[SliceRecord], split: GroupSplit) -> frozenset[str]:
    """Names of the test pictures of which a copy, or the same patient under another name, is trained on."""
    trained = {r.image.name for r in records if r.group in split.train}
    tested = {r.image.name for r in records if r.group in split.test}
    both = [(a, b) for pair in copy_pairs() for a, b in (pair, pair[::-1])]
    copied = frozenset(a for a, b in both if a in tested and b in trained)
    twins = [(a, b) for pair in patient_pairs() for a, b in (pair, pair[::-1])]
    seen = {a for a, b in twins if a in split.test and b in split.train}
    return copied | frozenset(r.image.name for r in records if r.group in seen)
