"""The group rule on made groups: five disjoint parts, every stratum in each, and the leaky arm told apart."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_export.datasets.split import FOLDS, Fold, GroupSplit, members, merge_splits, split_groups

GROUPS = [f"p{i // 7}" for i in range(700)]
STRATA = ["a" if i // 7 % 3 else "b" for i in range(700)]


def _folds(seed: int = 1) -> list[GroupSplit]:
    return [split_groups(GROUPS, STRATA, Fold(index, seed)) for index in range(FOLDS)]


def test_every_group_is_tested_once_and_never_trained_on_then() -> None:
    folds = _folds()
    assert frozenset().union(*(fold.test for fold in folds)) == set(GROUPS)
    assert all(not a.test & b.test for a, b in combinations(folds, 2))
    assert all(fold.train | fold.test == set(GROUPS) for fold in folds)


def test_each_stratum_is_spread_evenly() -> None:
    for stratum in "ab":
        counts = [sum(STRATA[i] == stratum for i in members(GROUPS, fold.test)) for fold in _folds()]
        assert max(counts) - min(counts) <= 7


def test_the_seed_deals_anew_and_only_the_seed() -> None:
    assert [f.sha256() for f in _folds()] == [f.sha256() for f in _folds()]
    assert _folds(1)[0].sha256() != _folds(2)[0].sha256()


def test_without_a_fold_everybody_trains() -> None:
    split = split_groups(GROUPS, STRATA, Fold(None))
    assert split.train == set(GROUPS)
    assert not split.test


def test_validation_comes_out_of_training() -> None:
    fold = _folds()[0]
    with_validation = fold.with_validation(3)
    assert with_validation.validation <= fold.train
    assert with_validation.test == fold.test
    assert len(with_validation.validation) == len(fold.train) // 10


def test_a_group_on_two_sides_is_refused() -> None:
    with pytest.raises(ValueError, match="two sides"):
        GroupSplit(frozenset("ab"), frozenset("b"))
    with pytest.raises(ValueError, match="two sides"):
        merge_splits([GroupSplit(frozenset("a"), frozenset("b")), GroupSplit(frozenset("b"), frozenset("c"))])


def test_folds_are_named_and_bounded() -> None:
    assert [Fold(3).label, Fold(None).label, Fold(0, leaky=True).label] == ["fold-3", "all", "leaky"]
    with pytest.raises(ValueError, match="0 to 4"):
        Fold(5)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc")), min_size=1, max_size=200),
    st.integers(0, FOLDS - 1),
    st.integers(0, 1000),
)
def test_every_slice_is_on_exactly_one_side(slices: list[tuple[int, str]], index: int, seed: int) -> None:
    groups = [f"g{number}" for number, _ in slices]
    split = split_groups(groups, [stratum for _, stratum in slices], Fold(index, seed)).with_validation(seed)
    positions = [members(groups, part) for part in (split.train, split.validation, split.test)]
    assert sorted(position for part in positions for position in part) == list(range(len(slices)))


def test_the_hash_does_not_depend_on_the_order_of_groups() -> None:
    left = GroupSplit(frozenset("ab"), frozenset("c"), frozenset("d"))
    right = GroupSplit(frozenset("ba"), frozenset("c"), frozenset("d"))
    assert left.sha256() == right.sha256()
