"""A leaking split is refused before a training starts."""

import json
from pathlib import Path

import pytest

from model_export.audit.findings import DuplicatePair
from model_export.audit.guard import LeakingSplit, refuse_leaks
from model_export.audit.leaks import audit_split, find_leaks
from model_export.audit.merge import NearDuplicates, joined_names, merged_groups, write_merged_groups

pytestmark = pytest.mark.torch

KEYS = ["a1", "a2", "b1", "c1"]
GROUPS = ["a", "a", "b", "c"]
SPLIT = ["train", "train", "train", "test"]
HASHES = ["1", "2", "3", "4"]


def test_a_sound_split_passes() -> None:
    refuse_leaks(KEYS, GROUPS, SPLIT, HASHES, [("a1", "a2"), ("a1", "b1"), ("c1", "unknown")])
    assert audit_split(KEYS, GROUPS, SPLIT, HASHES) == []


def test_a_group_on_two_sides_is_refused() -> None:
    split = ["train", "test", "train", "test"]
    assert find_leaks(GROUPS, split) == {"a": ("test", "train")}
    with pytest.raises(LeakingSplit, match=r"group a is in test and train.*--allow-leak"):
        refuse_leaks(KEYS, GROUPS, split)


def test_equal_contents_on_two_sides_are_refused() -> None:
    with pytest.raises(LeakingSplit, match="b1, c1 have the same pixels"):
        refuse_leaks(KEYS, GROUPS, SPLIT, ["1", "1", "3", "3"])


def test_near_duplicates_on_two_sides_are_refused() -> None:
    with pytest.raises(LeakingSplit, match="a2 and c1 show the same"):
        refuse_leaks(KEYS, GROUPS, SPLIT, near_duplicates=[("a2", "c1")])


def test_one_slice_on_two_sides_is_refused() -> None:
    with pytest.raises(LeakingSplit, match="a1 itself is in test and train"):
        refuse_leaks(["a1", "a1"], ["x", "y"], ["train", "test"])


def test_many_leaks_are_counted() -> None:
    with pytest.raises(LeakingSplit, match=r"in 5 places.*and 2 more"):
        refuse_leaks([f"{n}" for n in range(10)], [f"{n % 5}" for n in range(10)], ["train"] * 5 + ["test"] * 5)


def test_sequences_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        refuse_leaks(KEYS, GROUPS[:-1], SPLIT)


def test_groups_are_merged_along_chains() -> None:
    pairs = [("d", "b"), ("b", "a"), ("x", "y"), ("q", "q")]
    assert joined_names(pairs) == [["a", "b", "d"], ["x", "y"]]
    assert merged_groups(["d", "c", "y", "a"], pairs) == ["a", "c", "x", "a"]
    assert merged_groups(["d"], []) == ["d"]


def test_pairs_are_kept_on_disk(tmp_path: Path) -> None:
    pairs = (
        DuplicatePair(first="a1", second="b1", correlation=0.97, turn=3, first_group="a", second_group="b"),
        DuplicatePair(first="a1", second="a2", exact=True, correlation=1, first_group="a", second_group="a"),
    )
    path = tmp_path / "cache" / "near.json"
    NearDuplicates(pairs=pairs).dump(path)
    loaded = NearDuplicates.load(path)
    assert loaded.pairs == pairs
    assert loaded.groups() == [("a", "b")]
    write_merged_groups(tmp_path / "merged.json", loaded.groups())
    assert "".join((tmp_path / "merged.json").read_text(encoding="utf-8").split()) == '{"merged":[["a","b"]]}'


def test_joined_groups_stay_joined_when_the_file_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "merged.json"
    write_merged_groups(path, [("a", "b"), ("x", "y")])
    write_merged_groups(path, [("b", "c")])
    assert json.loads(path.read_bytes()) == {"merged": [["a", "b", "c"], ["x", "y"]]}
    path.write_text('{"joined": []}', encoding="utf-8")
    with pytest.raises(ValueError, match="no merged groups"):
        write_merged_groups(path, [])


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "near.json").write_text('{"pairs": 3}', encoding="utf-8")
    with pytest.raises(ValueError, match="no pairs"):
        NearDuplicates.load(tmp_path / "near.json")
