"""What both segmentation chapters share: rows of tables, and words for figures."""

from collections.abc import Sequence

from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.sections import Table
from model_export.evaluation.segmentation import EmptyRow
from service_kit.inference.manifest import Postprocessing

CROSS_FITTED = (
    "The mask cut (threshold and least area) that judges a fold is fitted on the other folds; the published one, "
    "fitted on all, is {cut}."
)


def empty_table(rows: Sequence[EmptyRow]) -> Table:
    """How often slices without a tumor are marked."""
    return Table(
        ("slices without a tumor", "slices", "anything marked", "more than 1 % of the picture marked"),
        tuple((row.label, row.marked.slices, row.marked, row.marked_large) for row in rows),
        title="False masks",
    )


def interval(found: Estimate) -> str:
    """The value with its interval."""
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def limits(low: float, high: float) -> str:
    """Both limits of agreement."""
    return f"{low:+,.1f} to {high:+,.1f}"


def cut_words(rule: Postprocessing) -> str:
    """A mask cut: threshold and least area on the model's grid."""
    return f"{rule.threshold:g}, {rule.min_component_px} px"
