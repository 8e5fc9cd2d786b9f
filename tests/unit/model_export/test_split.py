"""The group rule: no patient on both sides."""

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_export.datasets.split import PARTS, GroupSplit, members, split_by_slice, split_groups


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc")), min_size=1, max_size=200),
    st.integers(0, 1000),
)
def test_every_group_is_on_exactly_one_side(slices: list[tuple[int, str]], seed: int) -> None:
    groups = [f"g{number}" for number, _ in slices]
    split = split_groups(groups, [stratum for _, stratum in slices], seed)
    positions = [members(groups, split.part(name)) for name in PARTS]
    assert sorted(chain.from_iterable(positions)) == list(range(len(slices)))
    for left in range(3):
        for right in range(left):
            assert not {groups[i] for i in positions[left]} & {groups[i] for i in positions[right]}


def test_shares_are_kept_in_every_stratum() -> None:
    groups = [f"{stratum}{number}" for stratum in "ab" for number in range(200)]
    strata = [group[0] for group in groups]
    split = split_groups(groups, strata, seed=3)
    for stratum in "ab":
        found = {name: sum(g.startswith(stratum) for g in split.part(name)) for name in PARTS}
        assert found == {"train": 140, "calibration": 20, "test": 40}


def test_the_same_seed_gives_the_same_split_and_hash() -> None:
    groups, strata = [f"g{i // 3}" for i in range(90)], ["x"] * 90
    assert split_groups(groups, strata, 1) == split_groups(groups, strata, 1)
    assert split_groups(groups, strata, 1).sha256() != split_groups(groups, strata, 2).sha256()


def test_the_hash_does_not_depend_on_the_order_of_groups() -> None:
    left = GroupSplit(frozenset("ab"), frozenset("c"), frozenset("d"))
    right = GroupSplit(frozenset("ba"), frozenset("c"), frozenset("d"))
    assert left.sha256() == right.sha256()


def test_a_group_on_two_sides_is_refused() -> None:
    with pytest.raises(ValueError, match="two sides"):
        GroupSplit(frozenset("ab"), frozenset("c"), frozenset("b"))


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(KeyError):
        split_by_slice(10, 0).part("everything")


def test_the_leaky_split_has_as_many_slices_on_each_side() -> None:
    assert split_by_slice(1000, 5).counts() == {"train": 700, "calibration": 100, "test": 200}
