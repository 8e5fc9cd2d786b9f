"""Training curves, from the histories in the cards."""

from functools import partial

import numpy as np
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from model_export.card import ModelCard
from model_export.evaluation.sections import Chart, Part, PartMissing, Place, Section, Table
from model_export.evaluation.style import BLUE, GRAY, new_figure

_A_ROW = 4


class TrainingHistories(BaseModel):
    """Epochs of each published network: `loss` and seconds, a validation score where one was asked for."""

    model_config = ConfigDict(frozen=True)

    histories: dict[str, tuple[dict[str, float], ...]]


def measure_training(place: Place) -> TrainingHistories:
    """Read the cards. Raises `PartMissing` where no card has a history."""
    cards = [ModelCard.load(path.parent) for path in sorted(place.models.glob("*/card.json"))]
    histories = {card.name: card.history for card in cards if card.history}
    if not histories:
        raise PartMissing("no published model has a training history: model-export publish defaults")
    return TrainingHistories(histories=histories)


def render_training(found: TrainingHistories) -> Section:
    """A table, and the curves in panels."""
    names = list(found.histories)
    rows = tuple(
        (name, len(epochs), epochs[0]["loss"], epochs[-1]["loss"], _minutes(epochs), epochs[-1].get("score"))
        for name, epochs in found.histories.items()
    )
    return Section(
        title="Training curves",
        intro=(
            "The loss of each published network's own training, an epoch a point (several of them start on smaller "
            "pictures: the loss may step where the size changes). The schedules are fixed; nothing was chosen on test "
            "patients.",
        ),
        tables=(Table(("network", "epochs", "first loss", "last loss", "minutes", "last validation score"), rows),),
        charts=tuple(
            Chart(
                ", ".join(names[start : start + _A_ROW]),
                partial(draw_curves, {name: found.histories[name] for name in names[start : start + _A_ROW]}),
                "Training loss by epoch.",
            )
            for start in range(0, len(names), _A_ROW)
        ),
    )


def _minutes(epochs: tuple[dict[str, float], ...]) -> float:
    return float(np.sum([epoch.get("s", 0.0) for epoch in epochs]) / 60)


def draw_curves(histories: dict[str, tuple[dict[str, float], ...]]) -> Figure:
    """A panel a network."""
    figure, panels = new_figure(len(histories), width=2.6, height=2.3)
    for axes, (name, epochs) in zip(panels, histories.items(), strict=True):
        axes.plot([epoch["epoch"] for epoch in epochs], [epoch["loss"] for epoch in epochs], "o-", color=BLUE, ms=3)
        axes.set_title(name, fontsize=9.5)
        axes.set_ylim(0, None)
        axes.set(xlabel="epoch", ylabel="loss")
        axes.grid(color=GRAY, alpha=0.2)
    return figure


PARTS = (Part(key="training", result=TrainingHistories, measure=measure_training, render=render_training),)
