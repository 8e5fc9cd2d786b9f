"""What an audit says: findings, duplicate pairs, probes, and the report that holds them."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict

from model_export.evaluation.bootstrap import Estimate


class Kind(StrEnum):
    """What can be wrong with a set."""

    CORRUPT = "corrupt"
    CONSTANT = "constant"
    EXACT_DUPLICATE = "exact-duplicate"
    NEAR_DUPLICATE = "near-duplicate"
    LABEL_CONFLICT = "label-conflict"
    GROUP_LEAK = "group-leak"
    SIDES = "duplicate-across-sides"
    GROUPS = "duplicate-across-groups"
    SHORTCUT = "shortcut"


FATAL = frozenset({Kind.CORRUPT, Kind.LABEL_CONFLICT, Kind.GROUP_LEAK, Kind.SIDES, Kind.GROUPS})


class Finding(BaseModel):
    """One thing found: the pictures, groups or probe it is about, and a sentence. `allowed` by the caller by name."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    keys: tuple[str, ...]
    detail: str
    allowed: bool = False

    @property
    def fails(self) -> bool:
        """Whether the audit fails for it: broken files, contradicting labels and leaks, unless allowed."""
        return self.kind in FATAL and not self.allowed


class DuplicatePair(BaseModel):
    """Two pictures that show the same. `exact`: equal pixels; else `correlation` of the aligned 64 x 64 pictures.

    `turn` 0..7 brings the second onto the first (see `turns`); `upright` says that both were first brought to the
    head's own axes, `aligned` that a small affine correction was needed besides.
    """

    model_config = ConfigDict(frozen=True)

    first: str
    second: str
    exact: bool = False
    correlation: float
    turn: int = 0
    upright: bool = False
    aligned: bool = False
    first_group: str | None = None
    second_group: str | None = None
    first_label: str | None = None
    second_label: str | None = None
    first_side: str | None = None
    second_side: str | None = None

    @property
    def crosses_groups(self) -> bool:
        """Whether both groups are known and differ."""
        return _differ(self.first_group, self.second_group)

    @property
    def crosses_sides(self) -> bool:
        """Whether both sides of the split are known and differ."""
        return _differ(self.first_side, self.second_side)

    @property
    def labels_differ(self) -> bool:
        """Whether both labels are known and differ."""
        return _differ(self.first_label, self.second_label)


def _differ(first: str | None, second: str | None) -> bool:
    return first is not None and second is not None and first != second


class Probe(BaseModel):
    """Balanced accuracy of a classifier that sees only what tells nothing about the disease.

    `chance` is one over the number of classes; `flagged` where even the interval's lower end is far above it.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    accuracy: Estimate
    chance: float
    flagged: bool
    detail: str


class AuditReport(BaseModel):
    """Everything an audit found. Counts are of readable pictures; sizes are `width x height` in px."""

    pictures: int
    unreadable: int
    groups: int
    sizes: dict[str, int]
    modes: dict[str, int]
    labels: dict[str, int]
    sides: dict[str, int]
    findings: list[Finding]
    pairs: list[DuplicatePair]
    probes: list[Probe]
    probes_skipped: str | None = None

    def counts(self) -> Counter[Kind]:
        """How many findings there are of each kind, allowed ones too."""
        return Counter(finding.kind for finding in self.findings)

    @property
    def failed(self) -> bool:
        """Whether a finding stands that must not."""
        return any(finding.fails for finding in self.findings)

    def allowing(self, patterns: Iterable[str]) -> "AuditReport":
        """The same report, with findings marked as allowed that match `kind` or `kind:pattern` (one key suffices)."""
        rules = [pattern.partition(":")[::2] for pattern in patterns]

        def allowed(finding: Finding) -> bool:
            return any(
                finding.kind == kind and (not glob or any(fnmatchcase(key, glob) for key in finding.keys))
                for kind, glob in rules
            )

        marked = [f.model_copy(update={"allowed": allowed(f)}) for f in self.findings]
        return self.model_copy(update={"findings": marked})
