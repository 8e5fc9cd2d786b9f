"""The chapter on seg-flair-film and its clinical record."""

from functools import partial

from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.sections import CardFigures, Cell, Chart, Section, Table, Target
from model_export.evaluation.segmentation import (
    DISTANCE_UNIT,
    FilmDifference,
    FilmEvidence,
    FlairEvaluation,
    LggSegmentation,
    PatientRow,
)
from model_export.evaluation.segmentation_figures import draw_bland_altman, draw_dice, draw_differences
from model_export.evaluation.segmentation_tables import CROSS_FITTED, cut_words, empty_table, interval, limits


def flair_section(result: FlairEvaluation) -> Section:
    """The chapter on seg-flair-film and its clinical record."""
    found, film = result.patients, result.film
    tables = [
        Table(
            ("", "patients", "Dice a volume", "median"),
            tuple(_patient_cells(row) for row in (*found.variants, *((found.leaky,) if found.leaky else ()))),
            title="Volumes",
            note="A volume is the pixels of all of a patient's slices. The leaky row (where it is) is split by slice.",
        ),
        Table(
            ("figure", "value"),
            (
                ("IoU a volume", found.iou),
                ("Tversky a volume (.3 / .7)", found.tversky),
                ("precision", found.precision),
                ("recall", found.recall),
                ("HD95 a patient, within slices (px)", found.hd95_px),
                ("HD95, median (px)", found.median_hd95_px),
                ("Dice a tumor slice", found.slices_dice),
                ("Dice a tumor slice, median", found.median_slices_dice),
                ("volume: bias (px)", found.agreement_px.bias),
                (
                    "volume: limits of agreement (px)",
                    limits(found.agreement_px.lower_limit, found.agreement_px.upper_limit),
                ),
                ("volume: bias (% of the mean)", found.agreement_percent.bias),
                (
                    "volume: limits of agreement (%)",
                    limits(found.agreement_percent.lower_limit, found.agreement_percent.upper_limit),
                ),
            ),
            note=DISTANCE_UNIT,
        ),
        Table(
            ("fold", "Dice a volume", "mask cut"),
            tuple((k, v, cut_words(found.cuts[k])) for k, v in found.folds.items()),
        ),
    ]
    if found.empty:
        tables.append(empty_table([found.empty]))
    charts = [
        Chart(
            "seg-flair-film: Dice of each patient",
            partial(draw_dice, found.variants, "patients"),
            "Histograms of Dice a volume by what the network is told.",
        ),
        Chart(
            "seg-flair-film: volumes",
            partial(draw_bland_altman, [found.agreement_px, found.agreement_percent]),
            "Bland-Altman plots of the volume, in pixels and in percent.",
        ),
    ]
    intro = [
        f"Mean Dice a patient's volume **{interval(found.volume.dice)}**, median {found.volume.median_dice:.3f}, on "
        f"{found.volume.dice.groups} patients, each judged by a network that never saw them. "
        + CROSS_FITTED.format(cut=cut_words(found.cut))
    ]
    if film:
        tables.append(_film_table(film))
        charts.append(
            Chart(
                "Does the clinical record help?",
                partial(draw_differences, [*film.same_network, *film.trained]),
                "Paired differences of Dice between arms with intervals; zero is no difference.",
            )
        )
        intro.append(f"**Verdict on FiLM, by rule.** {film.sentence()}")
    return Section(
        title="seg-flair-film: the FLAIR abnormality of a glioma",
        intro=tuple(intro),
        tables=tuple(tables),
        charts=tuple(charts),
        targets=(Target(name="seg-flair-film: Dice a patient", measured=found.volume.dice, limit=0.86, reach=0.88),),
        cards={"seg-flair-film": _flair_card(found, film)},
        notes=() if film else ("seg-flair-film: an arm of the FiLM study was not predicted; there is no verdict.",),
    )


def _film_table(film: FilmEvidence) -> Table:
    rows: list[tuple[Cell, ...]] = [_difference_cells("one network, told otherwise", row) for row in film.same_network]
    rows += [_difference_cells("trained apart", row) for row in film.trained]
    return Table(
        ("", "first", "second", "first minus second", "patients better", "patients worse"),
        tuple(rows),
        title="The clinical record, arm against arm",
        note="Paired differences of the Dice a volume. Better and worse: by more than .005. Apart: other networks, "
        "trained by the same recipe with records shuffled or left out, and told the same, on their folds' patients.",
    )


def _difference_cells(kind: str, row: FilmDifference) -> tuple[Cell, ...]:
    return (kind, row.first, row.second, row.difference, row.better, row.worse)


def _patient_cells(row: PatientRow) -> tuple[Cell, ...]:
    return (row.label, row.dice.groups, row.dice, row.median_dice)


def _flair_card(found: LggSegmentation, film: FilmEvidence | None) -> CardFigures:
    summary: dict[str, Estimate | float] = {
        "dice_volume": found.volume.dice,
        "median_dice_volume": found.volume.median_dice,
        "dice_slice": found.slices_dice,
        "volume_bias_percent": found.agreement_percent.bias,
    }
    if found.hd95_px:
        summary["hd95_px"] = found.hd95_px
    if found.empty:
        summary["empty_slices_marked"] = found.empty.marked
    return CardFigures(
        summary=summary,
        tables={
            "by what is known": tuple(
                {"label": row.label, "dice": row.dice.value, "low": row.dice.low, "high": row.dice.high}
                for row in found.variants
            )
        },
        leaky={"dice_volume": found.leaky.dice} if found.leaky else {},
        notes=(film.sentence(), DISTANCE_UNIT) if film else (DISTANCE_UNIT,),
        record_helps=film.default_variant == "full" if film else None,
    )
