"""The chapter on seg-t1: its result as text, tables, charts and figures for the card."""

from functools import partial

from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.sections import CardFigures, Cell, Chart, Section, Table, Target
from model_export.evaluation.segmentation import DISTANCE_UNIT, MaskRow, T1Segmentation
from model_export.evaluation.segmentation_figures import draw_dice, draw_forest
from model_export.evaluation.segmentation_tables import CROSS_FITTED, cut_words, empty_table, interval
from model_export.evaluation.style import named

_MASK_COLUMNS = (
    "", "slices", "groups", "Dice", "median", "IoU", "Tversky", "precision", "recall", "HD95 (px)", "missed"
)  # fmt: skip


def t1_section(result: T1Segmentation) -> Section:
    """The chapter on seg-t1."""
    rows = [result.overall, *result.classes, *result.views, *result.sources]
    empty = [row for row in (result.empty, result.empty_gated) if row]
    tables = [
        Table(
            (*_MASK_COLUMNS, "two experts"),
            tuple((*_mask_cells(row), row.experts) for row in rows),
            title="Masks on tumor slices",
            note="Tversky weighs a missed pixel .7 and one marked too much .3. Missed: nothing is marked. HD95 is the "
            "95th percentile Hausdorff distance over the slices on which something is marked. " + DISTANCE_UNIT,
        ),
        Table(("fold", "Dice", "mask cut"), tuple((k, v, cut_words(result.cuts[k])) for k, v in result.folds.items())),
    ]
    if empty:
        tables.append(empty_table(empty))
    if result.leaky:
        tables.append(
            Table(
                _MASK_COLUMNS,
                (_mask_cells(result.leaky), _mask_cells(result.overall.model_copy(update={"label": "split by group"}))),
                title="The careless split beside the honest one",
                note="Slices of one patient on both sides: this measures nothing that a hospital would see.",
            )
        )
    by_row = [*result.classes, *result.views, *result.sources]
    forest = partial(
        draw_forest,
        [(row.label, row.dice) for row in by_row],
        "mean Dice, 95 % group-bootstrap interval",
        marks=[row.experts for row in by_row],
        mark_label="two experts",
    )
    charts = (
        Chart(
            "seg-t1: Dice of each tumor slice",
            partial(draw_dice, [result.overall, *result.classes], "slices"),
            "Histograms of Dice, all and by class; mean, median and two experts' agreement are marked.",
        ),
        Chart(
            "seg-t1: Dice by class, view and source",
            forest,
            "Mean Dice with intervals; diamonds are two experts' agreement.",
        ),
    )
    return Section(
        title="seg-t1: the tumor's outline on one slice",
        intro=(
            f"Mean Dice **{interval(result.overall.dice)}**, median {result.overall.median_dice:.3f}, on "
            f"{result.overall.dice.slices} tumor slices of {result.overall.dice.groups} groups, each judged by a "
            "network that never saw the patient, on the picture's own grid. "
            + CROSS_FITTED.format(cut=cut_words(result.cut)),
            "Two experts who outlined the same slices agree at the Dice in the last column: a network cannot be shown "
            "to be better than that on these outlines.",
            *_gate_text(result),
        ),
        tables=tuple(tables),
        charts=charts,
        targets=(
            Target(name="seg-t1: Dice a tumor slice", measured=result.overall.dice, limit=0.78, reach=0.82),
            Target(name="seg-t1: median Dice", measured=result.overall.median_dice, limit=0.88),
        ),
        cards={"seg-t1": _t1_card(result)},
    )


def _gate_text(result: T1Segmentation) -> tuple[str, ...]:
    if not result.empty or not result.empty_gated or not result.gated_missed:
        return ()
    return (
        f"Without a tumor anything is marked on {interval(result.empty.marked)} of the slices by seg-t1 alone, and on "
        f"{interval(result.empty_gated.marked)} as the product does it, which asks the tumor model first. That "
        f"question keeps {interval(result.gated_missed)} of the tumor slices from being outlined.",
    )


def _mask_cells(row: MaskRow) -> tuple[Cell, ...]:
    scores = (row.dice, row.median_dice, row.iou, row.tversky, row.precision, row.recall)
    return (named(row.label), row.dice.slices, row.dice.groups, *scores, row.hd95_px, row.missed)


def _t1_card(result: T1Segmentation) -> CardFigures:
    summary: dict[str, Estimate | float] = {
        "dice": result.overall.dice,
        "median_dice": result.overall.median_dice,
        "iou": result.overall.iou,
        "tversky": result.overall.tversky,
        "missed": result.overall.missed,
    }
    if result.overall.hd95_px:
        summary["hd95_px"] = result.overall.hd95_px
    if result.empty:
        summary["empty_slices_marked"] = result.empty.marked
    if result.empty_gated:
        summary["empty_slices_marked_gated"] = result.empty_gated.marked
    return CardFigures(
        summary=summary,
        tables={
            name: tuple(
                {
                    "label": row.label,
                    "slices": row.dice.slices,
                    "dice": row.dice.value,
                    "low": row.dice.low,
                    "high": row.dice.high,
                    "median_dice": row.median_dice,
                    "two_experts": row.experts,
                }
                for row in rows
            )
            for name, rows in (("by class", result.classes), ("by view", result.views), ("by source", result.sources))
        },
        leaky={"dice": result.leaky.dice, "median_dice": result.leaky.median_dice} if result.leaky else {},
        notes=(DISTANCE_UNIT,),
    )
