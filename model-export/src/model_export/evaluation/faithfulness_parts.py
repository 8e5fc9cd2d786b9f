"""The report's chapter on the tumor model's heat map."""

from functools import partial

import numpy as np
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from model_export.datasets.copies import copied_in_training
from model_export.datasets.slices import fold_slices
from model_export.datasets.tumor_set import tumor_samples
from model_export.evaluation.faithfulness import measure_faithfulness
from model_export.evaluation.heat_map import Faithfulness
from model_export.evaluation.heat_map_cost import HeatMapCost, measure_cost
from model_export.evaluation.robustness_parts import FOLD, open_fold
from model_export.evaluation.sections import CardFigures, Chart, Part, Place, Section, Table, Target
from model_export.evaluation.style import BLUE, COLORS, GRAY, new_figure

_COST_LIMIT = 0.05
_CURVE_SLICES = 100
_POINTED_SLICES = 400


class HeatMapEvaluation(BaseModel):
    """Where the map points and whether the answer hangs on it, and what it costs."""

    model_config = ConfigDict(frozen=True)

    faithfulness: Faithfulness
    cost: HeatMapCost


def measure(place: Place) -> HeatMapEvaluation:
    """With the networks of fold 0 on a sample of its test patients' outlined slices."""
    from model_export.evaluation.joint_gradcam import joint_grad_cam  # noqa: PLC0415 - torch is for measuring alone

    view, tumor = open_fold(place, "view"), open_fold(place, "tumor")
    samples, split = tumor_samples(place.root, FOLD)
    copied = copied_in_training(*fold_slices(place.root, FOLD))
    outlined = [s for s in samples if s.mask is not None and s.group in split.test and s.key not in copied]
    random = np.random.default_rng(FOLD.seed)
    drawn = random.choice(len(outlined), min(_POINTED_SLICES, len(outlined)), replace=False)
    found = measure_faithfulness(
        view,
        tumor,
        [outlined[at] for at in sorted(drawn.tolist())],
        curve_slices=_CURVE_SLICES,
        seed=FOLD.seed,
        grad_cam=joint_grad_cam(place.cache, FOLD, place.report),
        report=place.report,
    )
    image, _ = tumor.place(outlined[0].load())
    features = view.model.run({"image": view.place(outlined[0].load())[0][None, None]})["features"][0]
    file = place.cache / "folds" / str(FOLD.index) / "tumor" / tumor.manifest.file
    return HeatMapEvaluation(faithfulness=found, cost=measure_cost(file, image[None], features))


def render(result: HeatMapEvaluation) -> Section:
    """The chapter: pointing, deletion and insertion, agreement with Grad-CAM, cost."""
    found, cost = result.faithfulness, result.cost
    tables = [
        Table(
            ("order", "hottest position touches the tumor", "share of the heat on the tumor"),
            tuple((row.label, row.hit, row.inside) for row in found.pointing),
            title=f"Where the map lies ({found.slices} outlined slices, {found.side} x {found.side} positions)",
            note="The map of the likeliest tumor class, as the product shows it. The center prior never looks at the "
            "picture; random is a position drawn blindly.",
        ),
        Table(
            ("order", "deletion (lower is better)", "insertion (higher is better)"),
            tuple((row.label, row.deletion_area, row.insertion_area) for row in found.curves),
            title=f"Areas under the curves ({found.curve_slices} slices that are called a tumor)",
        ),
        Table(
            ("the heat map against", "deletion", "insertion"),
            tuple((row.against, row.deletion, row.insertion) for row in found.advantages),
            title="Advantage",
            note="Paired differences; above zero the heat map is the better order.",
        ),
    ]
    if found.agreements:
        tables.append(
            Table(
                ("Grad-CAM at", "rank correlation", "median", "maps without ranks"),
                tuple((row.layer, row.correlation, row.median, row.flat) for row in found.agreements),
                title="Agreement with Grad-CAM",
                note="Spearman over a map's positions. At the last convolution Grad-CAM is the evidence cut off below "
                "zero, so what the correlation lacks of 1 are its ties; the encoder's layer is the independent check.",
            )
        )
    return Section(
        title="The heat map: is it to be believed, and what does it cost",
        intro=(
            "Positions of the picture are taken away (made the median gray) or given back (to a blurred picture), the "
            "most important first by the heat map, by their distance to the center, or by chance; the network says "
            "each time how likely its answer still is. The view features stay those of the whole picture.",
            f"**Cost**: the map adds {cost.share:.1%} ({cost.low:.1%} to {cost.high:.1%}) to the classifier's CPU "
            "time: the published graph against the same graph without the map, one slice a run on one thread, "
            f"{cost.rounds} rounds in turns, median of the paired shares.",
        ),
        tables=tuple(tables),
        charts=(
            Chart(
                "Deletion and insertion",
                partial(draw_curves, found),
                "The answer's mean probability over the share of positions deleted and inserted, three orders.",
            ),
        ),
        targets=(
            Target(
                name="heat map: share of the classifier's time",
                measured=cost.share,
                limit=_COST_LIMIT,
                relation="at most",
            ),
        ),
        cards={"tumor": _card(result)},
        notes=() if found.agreements else ("heat map: fold 0's checkpoint is gone; Grad-CAM was not compared.",),
    )


def draw_curves(found: Faithfulness) -> Figure:
    """Two panels: deletion and insertion, a line an order."""
    figure, panels = new_figure(2, width=4.2, height=3.2)
    for panel, title in zip(panels, ("deletion", "insertion"), strict=True):
        for row, color, style in zip(found.curves, (BLUE, *COLORS[1:]), ("-", "--", ":"), strict=False):
            curve, area = (
                (row.deletion, row.deletion_area) if title == "deletion" else (row.insertion, row.insertion_area)
            )
            label = f"{row.label} (area {area.value:.3f})"
            panel.plot(found.fractions, curve, style, marker="o", markersize=4, color=color, label=label)
        panel.set_xlabel("share of positions " + ("deleted" if title == "deletion" else "inserted"))
        panel.set_ylim(0, 1.02)
        panel.set_title(title)
        panel.grid(color=GRAY, alpha=0.25)
        panel.legend(loc="upper right" if title == "deletion" else "lower right")
    panels[0].set_ylabel("probability of the answer")
    return figure


def _card(result: HeatMapEvaluation) -> CardFigures:
    heat, curve = result.faithfulness.pointing[0], result.faithfulness.curves[0]
    return CardFigures(
        summary={
            "heat map: hottest position touches the tumor": heat.hit,
            "heat map: share on the tumor": heat.inside,
            "heat map: deletion area": curve.deletion_area,
            "heat map: insertion area": curve.insertion_area,
            "heat map: share of the classifier's time": result.cost.share,
        }
        | {
            f"heat map: rank correlation with Grad-CAM, {a.layer}": a.correlation
            for a in result.faithfulness.agreements
        }
    )


PARTS = (Part("heat-map", HeatMapEvaluation, measure, render),)
