"""The guard before a training: no slice, no copy of a slice and no patient on two sides of the split."""

from collections.abc import Iterable, Sequence

from model_export.audit.leaks import audit_split

_SHOWN = 3


class LeakingSplit(ValueError):
    """A split that lets the test side leak into training. The message says what, and how to go on."""


def refuse_leaks(
    keys: Sequence[str],
    groups: Sequence[str],
    split: Sequence[str],
    content_hashes: Sequence[str] | None = None,
    near_duplicates: Iterable[tuple[str, str]] = (),
) -> None:
    """Nothing, where the split is sound.

    Args:
        keys: the name of each slice; the same key on two sides is a leak.
        groups: the group (patient) of each slice.
        split: the side of each slice, say `train` or `test`.
        content_hashes: of each slice's decoded pixels (`content_hash`): equal ones on two sides are a leak.
        near_duplicates: pairs of keys that show the same (`NearDuplicates.load(path).keys()`).

    Raises:
        LeakingSplit: a leak was found.
        ValueError: the sequences differ in length.
    """
    found = audit_split(keys, groups, split, content_hashes, near_duplicates)
    if not found:
        return
    shown = "; ".join(finding.detail for finding in found[:_SHOWN])
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise LeakingSplit(
        f"The split leaks in {len(found)} places: {shown}{more}. Merge the groups that hold copies "
        "(`model-export audit --merged-groups`), or say --allow-leak to train in spite of it."
    )
