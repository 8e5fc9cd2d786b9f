"""`README.md` of the report: what was aimed at, what came of it, and where the rest is."""

from collections.abc import Mapping
from pathlib import Path

from model_export.catalog import RESEARCH_ONLY
from model_export.evaluation.assembly import Results
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.classifier_charts import draw_intervals
from model_export.evaluation.display import markdown_table
from model_export.evaluation.sections import Section, Target
from model_export.evaluation.style import svg_of

CHART, ZOO_CHART = "targets.svg", "zoo.svg"


def write_summary(folder: Path, results: Results, chapters: Mapping[str, Section]) -> None:
    """Write `README.md` and its chart into `folder`, and the zoo's chart that docs/models shows."""
    targets = [target for section in chapters.values() for target in section.targets]
    text = (
        "# Evaluation of the published models\n\n"
        f"Written by `{results.command}`; nothing here is typed by hand. All tables and charts are in "
        "[report.html](report.html) (one file, opens offline), the numbers in [results.json](results.json), the "
        "architectures beside each other in [docs/models](../models/README.md).\n\n"
        f"**{RESEARCH_ONLY}**\n\n**Protocol.** {results.protocol}\n\n"
    )
    text += _targets(folder, targets)
    if leaky := "".join(_leaky(section) for section in chapters.values()):
        text += "## What a careless split would have claimed\n\n" + leaky
    if "zoo" in chapters:
        (folder / ZOO_CHART).write_text(svg_of(chapters["zoo"].charts[0].draw()), encoding="utf-8")
    text += "## Chapters of the report\n\n" + "".join(
        f"- [{section.title}](report.html#{key}){_about(section)}\n" for key, section in chapters.items()
    )
    text += _beside(folder)
    if results.missing:
        text += "\n## Left out\n\n" + "".join(f"- `{key}`: {note}\n" for key, note in results.missing.items())
    (folder / "README.md").write_text(text, encoding="utf-8")


def _targets(folder: Path, targets: list[Target]) -> str:
    if not targets:
        return "Nothing was measured yet.\n\n"
    drawn = [
        (target.name, target.measured, not target.met)
        for target in targets
        if isinstance(target.measured, Estimate) and target.relation == "at least"
    ]
    text = "## Targets and what was measured\n\n"
    if drawn:
        (folder / CHART).write_text(svg_of(draw_intervals(drawn)), encoding="utf-8")
        text += f"![Every figure with its interval; orange where the target is not met]({CHART})\n\n"
    met = sum(target.met for target in targets)
    rows = [(t.name, t.wanted(), t.measured, "met" if t.met else "**not met**") for t in targets]
    text += f"{met} of {len(targets)} are met.\n\n"
    return text + markdown_table(("figure", "wanted", "measured (95 % interval)", ""), rows) + "\n"


def _leaky(section: Section) -> str:
    """The tables on the careless split: they belong beside the figures, not at the end of a long report."""
    found = [table for table in section.tables if "leaky" in " ".join(table.columns).lower()]
    return "".join(
        f"### {section.title}\n\n" + markdown_table(table.columns, table.rows) + f"\n{table.note}\n\n"
        for table in found
    )


def _beside(folder: Path) -> str:
    """Links to what other commands measured into the same folder, by their pages' first headings."""
    pages = [path for path in sorted(folder.glob("*.md")) if path.name != "README.md"]
    if not pages:
        return ""
    lines = []
    for path in pages:
        first = next(
            (line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# ")), path.stem
        )
        lines.append(f"- [{first.removeprefix('# ')}]({path.name})\n")
    return "\n## Measured beside it\n\n" + "".join(lines)


def _about(section: Section) -> str:
    names = [table.title for table in section.tables if table.title]
    return f": {', '.join(name[0].lower() + name[1:] for name in names)}" if names else ""
