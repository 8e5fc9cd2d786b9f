"""The gate's figures as a page to read and a chart."""

from model_export.evaluation.novelty_result import BORDERLINE, ArmResult, NoveltyResult
from model_export.evaluation.style import BLUE, GRAY, ORANGE, new_figure, svg_of


def novelty_page(result: NoveltyResult) -> str:
    """Markdown: what was left out, each network's figures by source, by kind and by orientation."""
    lines = ["# The gate at the door: measured", "", result.protocol, ""]
    lines += ["AUROC and shares are means over kinds, and over left-out sources.", ""]
    lines += _table(
        ("features", "AUROC", "refused", "refused or reviewed", "false refusals", "false reviews"),
        [
            (
                f"{name}: {arm.weights}",
                f"{arm.auroc:.4f}",
                *_shares(arm.refused, arm.refused_or_reviewed, arm.false_refusals, arm.for_review),
            )
            for name, arm in result.arms.items()
        ],
    )
    if result.timing is not None:
        lines += [f"The view model takes {result.timing.ratio:.3f} times as long with the output as without.", ""]
    for name, arm in result.arms.items():
        lines += [f"## {name}", "", *_sources(arm), *_turned(arm), *_kinds(arm)]
    return "\n".join(lines).rstrip() + "\n"


def novelty_chart(result: NoveltyResult) -> str:
    """SVG: AUROC by kind, and false refusals by source, of each network's features."""
    figure, (left, right) = new_figure(2, width=5.2, height=7.0)
    colors = dict(zip(result.arms, (BLUE, ORANGE), strict=False))
    first = next(iter(result.arms.values()))
    kinds = sorted(first.kinds, key=lambda kind: first.kinds[kind].auroc)
    for name, arm in result.arms.items():
        values = [arm.kinds[kind].auroc for kind in kinds]
        left.plot(values, range(len(kinds)), "o", markersize=4, color=colors.get(name, GRAY), label=name)
        names = list(arm.sources)
        shares = [100 * arm.sources[source].false_refusals for source in names]
        right.plot(shares, range(len(names)), "o", markersize=6, color=colors.get(name, GRAY), label=name)
    left.axvline(0.98, color=GRAY, linewidth=0.8, linestyle=":")
    left.set_yticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds], fontsize=7)
    left.set_title("AUROC by kind of picture (left out)")
    right.axvline(1.0, color=GRAY, linewidth=0.8, linestyle=":")
    right.set_yticks(range(len(first.sources)), list(first.sources))
    right.set_title("False refusals, % of a left-out source")
    right.legend()
    return svg_of(figure)


def _sources(arm: ArmResult) -> list[str]:
    rows = [
        (name, str(s.slices), f"{s.auroc:.4f}", *_shares(s.false_refusals, s.for_review), f"{s.refuse_above:.2f}")
        for name, s in arm.sources.items()
    ]
    return _table(("source left out", "slices", "AUROC", "false refusals", "false reviews", "limit"), rows)


def _turned(arm: ArmResult) -> list[str]:
    rows = [(name, str(t.slices), *_shares(t.false_refusals, t.for_review)) for name, t in arm.turned.items()]
    return _table(("real slices, other than upright", "slices", "false refusals", "false reviews"), rows)


def _kinds(arm: ArmResult) -> list[str]:
    order = sorted(arm.kinds.items(), key=lambda item: (item[1].family == BORDERLINE, item[1].family, item[0]))
    rows = [
        (name, kind.family, f"{kind.auroc:.4f}", *_shares(kind.refused, kind.refused_or_reviewed))
        for name, kind in order
    ]
    return _table(("kind", "family", "AUROC", "refused", "refused or reviewed"), rows)


def _shares(*values: float) -> tuple[str, ...]:
    return tuple(f"{value:.2%}" for value in values)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    divider = "|".join("---" for _ in head)
    return [f"| {' | '.join(head)} |", f"|{divider}|", *(f"| {' | '.join(row)} |" for row in rows), ""]
