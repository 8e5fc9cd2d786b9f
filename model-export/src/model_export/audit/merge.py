"""Groups that hold copies of each other are one group."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from model_export.audit.findings import DuplicatePair

_MERGED = TypeAdapter(dict[str, list[list[str]]])


def joined_names(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Union-find: the sets of names that pairs connect, each sorted, in order of their first name."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for first, second in pairs:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    several: dict[str, list[str]] = {}
    for name in sorted(parent):
        several.setdefault(root(name), []).append(name)
    return sorted(names for names in several.values() if len(names) > 1)


def merged_groups(groups: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[str]:
    """The group of each slice after merging: the first name, in order, of all groups that `pairs` of groups connect."""
    joined = {name: names[0] for names in joined_names(pairs) for name in names}
    return [joined.get(group, group) for group in groups]


def write_merged_groups(path: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Write `{"merged": [[names], ...]}`, sorted, from pairs of groups; the folder is made.

    Groups that the file already joins stay joined: what was once seen to be a copy is not forgotten by a stricter run.
    Raises `ValueError` where there is a file of another form.
    """
    known: list[tuple[str, str]] = []
    if path.exists():
        try:
            before = _MERGED.validate_json(path.read_bytes())["merged"]
        except (ValidationError, KeyError) as error:
            raise ValueError(f"{path.name}: no merged groups of `model-export audit`") from error
        known = [(names[0], name) for names in before for name in names[1:]]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"merged": joined_names([*known, *pairs])}, indent=1) + "\n", encoding="utf-8")


class NearDuplicates(BaseModel):
    """The duplicate pairs of a set, as the audit saves them for the training command."""

    model_config = ConfigDict(frozen=True)

    pairs: tuple[DuplicatePair, ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file. Raises `FileNotFoundError`, or `ValueError` where it is none of an audit's."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise ValueError(f"{path.name}: no pairs of `model-export audit`") from error

    def dump(self, path: Path) -> None:
        """Write the file; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=0, exclude_defaults=True) + "\n", encoding="utf-8")

    def keys(self) -> list[tuple[str, str]]:
        """The pairs, as keys of pictures."""
        return [(pair.first, pair.second) for pair in self.pairs]

    def groups(self) -> list[tuple[str, str]]:
        """The pairs of different groups that a copy connects."""
        found = {(p.first_group, p.second_group) for p in self.pairs if p.crosses_groups}
        return sorted((a, b) for a, b in found if a is not None and b is not None)
