"""How the report's charts look, and how they become SVG text that is the same on every run."""

import io

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE = "#2f6f9f", "#d9822b", "#4f9d69", "#8e5ea2"
RED, TEAL, INK, GRAY, PALE = "#b5443c", "#3a9a9a", "#222222", "#8a8f98", "#e6e9ee"
COLORS = (BLUE, ORANGE, GREEN, PURPLE, TEAL, RED)
"""In the order in which series are drawn; orange is also what must not be trusted (the leaky split)."""

mpl.use("Agg")
mpl.rcParams.update(
    {
        "axes.edgecolor": GRAY,
        "axes.labelcolor": INK,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 10.5,
        "axes.titleweight": "bold",
        "figure.dpi": 110,
        "font.size": 9.5,
        "legend.fontsize": 8.5,
        "legend.frameon": False,
        "savefig.bbox": "tight",
        "svg.fonttype": "path",
        "svg.hashsalt": "model-export",
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    }
)


def new_figure(columns: int = 1, *, width: float = 4.2, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    """A figure of panels side by side, `width` and `height` in inches each."""
    figure, axes = plt.subplots(1, columns, figsize=(width * columns, height), squeeze=False, layout="constrained")
    return figure, list(axes[0])


def named(label: str) -> str:
    """A label as it is shown."""
    return label.replace("_", " ")


def svg_of(figure: Figure) -> str:
    """The figure as SVG text without a date; the figure is closed."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = stream.getvalue()
    return text[text.index("<svg") :]


def png_of(figure: Figure) -> bytes:
    """The figure as PNG; the figure is closed."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=130, metadata={"Software": ""})
    plt.close(figure)
    return stream.getvalue()
