"""The chapter on the 3D networks."""

from functools import partial

from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.brats_volumes import BratsEvaluation, BratsResult, RegionRow
from model_export.evaluation.sections import CardFigures, Cell, Chart, Section, Table, Target
from model_export.evaluation.segmentation import FilmDifference
from model_export.evaluation.segmentation_figures import draw_dice, draw_differences, draw_forest
from model_export.evaluation.segmentation_tables import interval
from model_export.evaluation.style import named
from service_kit.inference.tumor_regions import REGIONS
from service_kit.inference.volume import VolumePreprocessing

TARGETS = {"whole_tumor": (0.86, 0.889), "tumor_core": (0.75, 0.85), "enhancing_tumor": (0.68, 0.82)}
"""By region: the least mean Dice, and the best published one on BraTS's hidden test set."""
CONVENTION = (
    "A region that is in neither truth nor answer has Dice 1, one that is in the answer alone Dice 0; a distance is "
    "left out where one of the two is empty. HD95 is in millimeters between borders in 3D. Judged with tiles "
    f"{VolumePreprocessing.model_fields['step'].default:g} of a patch apart and without mirroring; the published model "
    "slides as the chapter on the window chose, on the first of these folds."
)


def brats_section(result: BratsEvaluation) -> Section:
    """The chapter on the 3D networks; the first one is what the targets are about."""
    first = result.networks[0]
    tables = [_regions_table(network) for network in result.networks]
    tables += [_variants_table(network) for network in result.networks]
    charts = [
        Chart(
            f"{first.name}: Dice of each case",
            partial(draw_dice, [row.dice for row in first.regions], "cases"),
            "Histograms of the Dice a case of the whole tumor, the core and the enhancing tumor.",
        ),
        Chart(
            f"{first.name}: Dice with sequences left out",
            partial(draw_forest, _forest_rows(first), "mean Dice a case, 95 % bootstrap interval"),
            "Mean Dice of each region with all sequences and with each one left out.",
        ),
    ]
    if result.differences:
        tables.append(_differences_table(result.differences))
        charts.append(
            Chart(
                "Attention gates against none",
                partial(draw_differences, result.differences),
                "Paired differences of the Dice a case by region with intervals; zero is no difference.",
            )
        )
    return Section(
        title="3D networks on BraTS: whole tumor, core, enhancing",
        intro=(_headline(first), CONVENTION, _protocol(result)),
        tables=tuple(tables),
        charts=tuple(charts),
        targets=tuple(
            Target(
                name=f"{first.name}: Dice a case, {named(row.region)}",
                measured=row.dice.dice,
                limit=TARGETS[row.region][0],
                reach=TARGETS[row.region][1],
            )
            for row in first.regions
        ),
        cards={network.name: _card(network) for network in result.networks},
    )


def _headline(network: BratsResult) -> str:
    parts = ", ".join(f"{named(row.region)} **{interval(row.dice.dice)}**" for row in network.regions)
    return (
        f"Mean Dice a case of {network.name}: {parts}, on {network.cases} cases, each judged on its own 1 mm voxels "
        "by a network that never saw it."
    )


def _protocol(result: BratsEvaluation) -> str:
    folds = "; ".join(
        f"{network.name}: {len(network.folds)} of five folds, {network.cases} cases" for network in result.networks
    )
    return (
        f"Judged out of fold ({folds}). Schedules are fixed, the threshold is .5 everywhere and nothing is fitted on "
        "the answers. Intervals are 95 % percentile intervals of 1,000 bootstrap resamples of cases."
    )


def _regions_table(network: BratsResult) -> Table:
    return Table(
        (
            "region", "cases", "Dice", "median", "Dice where it is there", "empty truth (marked)", "HD95 (mm)",
            "median HD95", "no distance", "true volume (ml)", "bias (ml)", "mean error (ml)",
        ),
        tuple(_region_cells(row, network.cases) for row in network.regions),
        title=f"{network.name}, all sequences",
        note=CONVENTION,
    )  # fmt: skip


def _region_cells(row: RegionRow, cases: int) -> tuple[Cell, ...]:
    return (
        named(row.region),
        cases,
        row.dice.dice,
        row.dice.median_dice,
        row.dice_where_present,
        f"{row.empty_truth} ({row.marked_though_empty})",
        row.hd95_mm,
        row.median_hd95_mm,
        row.no_distance,
        row.mean_true_ml,
        row.volume_bias_ml,
        row.volume_error_ml,
    )


def _variants_table(network: BratsResult) -> Table:
    return Table(
        ("shown", *(named(region) for region in REGIONS)),
        tuple((_shown(row.variant), *row.dice) for row in network.variants),
        title=f"{network.name}: what a missing sequence costs",
        note="Mean Dice a case. The network is told which sequence is missing; it was trained with sequences left out.",
    )


def _shown(variant: str) -> str:
    return "all four" if variant == "full" else variant.replace("-", " ")


def _forest_rows(network: BratsResult) -> list[tuple[str, Estimate]]:
    return [
        (f"{named(region)}, {_shown(row.variant)}", row.dice[at])
        for at, region in enumerate(REGIONS)
        for row in network.variants
    ]


def _differences_table(rows: tuple[FilmDifference, ...]) -> Table:
    return Table(
        ("first", "second", "first minus second", "cases better", "cases worse"),
        tuple((row.first, row.second, row.difference, row.better, row.worse) for row in rows),
        title="Attention gates against none, paired",
        note="Paired differences of the Dice a case, on the cases that both judged. Better, worse: by more than .005.",
    )


def _card(network: BratsResult) -> CardFigures:
    summary: dict[str, Estimate | float] = {f"dice_{row.region}": row.dice.dice for row in network.regions}
    summary |= {f"hd95_mm_{row.region}": row.hd95_mm for row in network.regions if row.hd95_mm}
    summary |= {f"volume_error_ml_{row.region}": row.volume_error_ml for row in network.regions}
    return CardFigures(
        summary=summary,
        tables={
            "by what is shown": tuple(
                {
                    "label": _shown(row.variant),
                    **{region: row.dice[at].value for at, region in enumerate(REGIONS)},
                }
                for row in network.variants
            )
        },
        notes=(CONVENTION,),
    )
