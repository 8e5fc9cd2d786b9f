"""The chapter on the zoo: every architecture on one protocol, with what it costs."""

import json
from collections.abc import Callable
from functools import partial

from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from model_export.catalog import CATALOG, MODEL_SETS, CatalogEntry
from model_export.datasets.split import Fold
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.classification import ClassifierResult
from model_export.evaluation.classifier_parts import card_figures
from model_export.evaluation.classifiers import judge_classifier
from model_export.evaluation.display import file_size, many
from model_export.evaluation.lgg_patients import evaluate_lgg
from model_export.evaluation.sections import CardFigures, Chart, Part, PartMissing, Place, Section, Table
from model_export.evaluation.segmenters import evaluate_t1
from model_export.evaluation.store import read_classifier, read_segmenter
from model_export.evaluation.style import BLUE, GRAY, INK, ORANGE, new_figure
from model_export.evaluation.timing import interleaved_ms
from model_export.evaluation.zoo import HEADLINES, ZooResult, ZooRow, headline, trade_off
from service_kit.inference.manifest import ModelManifest

_FOLD = Fold(0)


class ZooPart(BaseModel):
    """The table, and what goes into the cards of the networks that are judged nowhere else."""

    model_config = ConfigDict(frozen=True)

    table: ZooResult
    cards: dict[str, CardFigures]


def measure_zoo(place: Place) -> ZooPart:
    """Judge every network of the defaults and the zoo on fold 0, and time them in one run.

    Raises:
        PartMissing: none was predicted yet.
    """
    entries = [CATALOG[name] for name in (*MODEL_SETS["defaults"], *MODEL_SETS["zoo"]) if CATALOG[name].labels]
    judged: dict[str, tuple[dict[str, dict[str, Estimate]], CardFigures]] = {}
    left_out: dict[str, str] = {}
    for entry in entries:
        try:
            judged[entry.name] = _judge(entry, place)
            place.report(f"zoo: {entry.name} judged")
        except FileNotFoundError:
            left_out[entry.name] = "not trained or not predicted yet"
    if not judged:
        raise PartMissing(
            "no network was predicted yet: model-export train zoo, then model-export predict zoo --fold 0"
        )
    folders = {name: place.cache / "folds" / str(_FOLD.index) / name for name in judged}
    times = interleaved_ms(folders)
    rows = []
    for entry in entries:
        if entry.name not in judged:
            continue
        folder = folders[entry.name]
        manifest = ModelManifest.load(folder)
        of_stage = next((d for d in MODEL_SETS["defaults"] if d in times and _like(CATALOG[d], entry)), entry.name)
        rows += [
            ZooRow(
                name=entry.name,
                stage=entry.stage,
                task=task,
                architecture=entry.architecture,
                default=not entry.zoo,
                parameters=_parameters(folder.joinpath("card.json").read_text("utf-8")),
                file_bytes=(folder / manifest.file).stat().st_size,
                ms=float(times[entry.name].min()),
                ratio=float(times[entry.name].min() / times[of_stage].min()),
                figures=figures,
            )
            for task, figures in judged[entry.name][0].items()
        ]
    cards = {name: figures for name, (_, figures) in judged.items() if CATALOG[name].zoo}
    return ZooPart(table=ZooResult(rows=tuple(rows), left_out=left_out), cards=cards)


def _like(default: CatalogEntry, entry: CatalogEntry) -> bool:
    """Whether two networks answer the same question: their times are compared."""
    return (default.stage, default.reads_record) == (entry.stage, entry.reads_record)


def _parameters(card: str) -> int:
    return int(json.loads(card)["parameters"])


def _judge(entry: CatalogEntry, place: Place) -> tuple[dict[str, dict[str, Estimate]], CardFigures]:
    if entry.kind == "classifier":
        result = judge_classifier(read_classifier(place.cache, entry.name, [_FOLD]))
        return _of_classifier(result), card_figures(result)
    predictions = read_segmenter(place.cache, entry.name, [_FOLD])
    preprocessing = ModelManifest.load(place.cache / "folds" / str(_FOLD.index) / entry.name).preprocessing
    if preprocessing is None:
        raise ValueError(f"{entry.name} reads no picture")
    if entry.reads_record:
        volumes = evaluate_lgg(predictions, place.root, preprocessing)[0]
        figures = {
            "volume Dice, patients": volumes.volume.dice,
            "IoU": volumes.iou,
            "Tversky": volumes.tversky,
            "Dice, tumor slices": volumes.slices_dice,
        }
        return {"outline, FLAIR": figures}, CardFigures(summary=dict(figures))
    masks = evaluate_t1(predictions, place.root, preprocessing)
    figures = {
        "Dice, tumor slices": masks.overall.dice,
        "IoU": masks.overall.iou,
        "Tversky": masks.overall.tversky,
        "missed": masks.overall.missed,
    }
    rows = tuple(
        {"label": row.label, "slices": row.dice.slices, "Dice": row.dice.value, "median Dice": row.median_dice}
        for row in masks.classes
    )
    return {"outline, T1": figures}, CardFigures(summary=dict(figures), tables={"by class": rows})


def _of_classifier(result: ClassifierResult) -> dict[str, dict[str, Estimate]]:
    figures = {
        "accuracy": result.accuracy.mean,
        "macro-F1": result.macro_f1.mean,
        "ROC-AUC": result.roc_auc.mean,
    }
    if result.binary is None:
        return {"view": figures}
    binary = {
        "tumor or not: accuracy": result.binary.accuracy.mean,
        "sensitivity": result.binary.sensitivity.mean,
        "specificity": result.binary.specificity.mean,
        "ROC-AUC": result.binary.roc_auc.mean,
    }
    return {"tumor": binary} if len(result.labels) == 2 else {"tumor": binary, "tumor, four classes": figures}


def render_zoo(part: ZooPart) -> Section:
    """Tables by task, and accuracy over time."""
    table = part.table
    return Section(
        title="The zoo: architectures beside each other",
        intro=(
            "Every architecture is trained and judged on the same fold: fold 0 of the cross-validation, the same "
            "patients on the same sides for all, the defaults' figures of that fold among them. Time is that of one "
            "picture on one CPU thread of onnxruntime, all networks in turn in one run: the fastest of 25 rounds "
            "(other work only adds), and its ratio to the default's. Milliseconds belong to the machine that "
            "wrote this; ratios travel better. Networks that read the view network's features need its run as well.",
        ),
        tables=tuple(task_table(table, task) for task in table.tasks()),
        charts=(
            Chart(
                "Accuracy over time",
                partial(draw_trade_off, table),
                "Headline figure with its interval over milliseconds a picture, by task; the default in orange.",
            ),
        ),
        cards=part.cards,
        notes=(f"Left out, not trained or not predicted yet: {', '.join(table.left_out)}.",) if table.left_out else (),
    )


def task_table(table: ZooResult, task: str) -> Table:
    """One task's networks."""
    rows = table.of_task(task)
    names = list(rows[0].figures)
    return Table(
        columns=("network", "parameters", "file", "CPU ms", "to the default", *names),
        rows=tuple(
            (
                f"**{row.name}** (default)" if row.default else row.name,
                many(row.parameters),
                file_size(row.file_bytes),
                f"{row.ms:.1f}",
                f"{row.ratio:.2f}",
                *(row.figures[name] for name in names),
            )
            for row in rows
        ),
        title=task[0].upper() + task[1:],
        note=trade_off(rows),
    )


def draw_trade_off(table: ZooResult) -> Figure:
    """A panel a task."""
    tasks = table.tasks()
    figure, panels = new_figure(len(tasks), width=3.6, height=3.3)
    for axes, task in zip(panels, tasks, strict=True):
        rows = table.of_task(task)
        for row in rows:
            value, color = headline(row), ORANGE if row.default else BLUE
            axes.errorbar(
                row.ms,
                value.value,
                [[value.value - value.low], [value.high - value.value]],
                fmt="o",
                color=color,
                ecolor=GRAY,
                elinewidth=1,
                markersize=6,
            )
            axes.annotate(
                row.name, (row.ms, value.value), xytext=(6, 4), textcoords="offset points", fontsize=8, color=INK
            )
        axes.set_xscale("log")
        low, high = min(row.ms for row in rows), max(row.ms for row in rows)
        axes.set_xlim(low / 1.6, high * 3.2)
        ticks = [t for t in (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if low / 1.6 <= t <= high * 3.2]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.set(xlabel="ms a picture, one CPU thread", ylabel=HEADLINES[task])
        axes.set_title(task[0].upper() + task[1:])
        axes.grid(color=GRAY, alpha=0.2)
    return figure


_measure: Callable[[Place], ZooPart] = measure_zoo
PARTS = (Part(key="zoo", result=ZooPart, measure=_measure, render=render_zoo),)
