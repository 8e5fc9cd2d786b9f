"""`model-export audit`: broken files, copies, contradicting labels, leaks and shortcuts of picture sets."""

# ruff: noqa: PLC0415 - scikit-learn and OpenCV are loaded when the command runs, not by --help

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

if TYPE_CHECKING:
    from model_export.audit.entries import Entry
    from model_export.audit.findings import AuditReport
    from model_export.audit.run import Audited

_LISTED = 5


def audit(
    folders: Annotated[list[Path], typer.Argument(help="picture sets: with an index.csv, or class folders")],
    out: Annotated[
        Path | None, typer.Option(help="folder of index.html and audit.json, outside the repository")
    ] = None,
    index: Annotated[
        str | None, typer.Option(help="name of the index in each set; index.csv where there is one")
    ] = None,
    group: Annotated[str | None, typer.Option(help="the index' column of patients")] = None,
    label: Annotated[str | None, typer.Option(help="the index' column of classes")] = None,
    split: Annotated[str | None, typer.Option(help="the index' column of sides (train, test)")] = None,
    pictures: Annotated[Path | None, typer.Option(help="folder of a PNG for each duplicate pair")] = None,
    merged: Annotated[
        Path | None, typer.Option("--merged-groups", help="file of the groups that hold copies of each other")
    ] = None,
    near: Annotated[
        Path | None, typer.Option("--pairs", help="file of all duplicate pairs, for the training's guard")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="accept findings: KIND, or KIND:PATTERN of a picture, group or probe")
    ] = None,
    similarity: Annotated[float, typer.Option(min=0.5, max=1.0, help="correlation of near duplicates")] = 0.9,
    seed: Annotated[int, typer.Option(help="of the probes")] = 0,
) -> None:
    """Audit picture sets. Exit 1 on a broken file, a leak or contradicting labels; 2 on bad usage; else 0."""
    from model_export.audit.entries import Columns, UnusableSet, read_entries
    from model_export.audit.findings import Kind
    from model_export.audit.run import audit as audit_entries

    for pattern in allow or ():
        if pattern.partition(":")[0] not in set(Kind):
            raise typer.BadParameter(f"{pattern}: no kind of finding ({', '.join(Kind)})", param_hint="--allow")
    entries: list[Entry] = []
    try:
        for folder in folders:
            found = read_entries(folder, Columns(group, label, split), index)
            entries += _prefixed(found, folder) if len(folders) > 1 else found
    except UnusableSet as error:
        raise typer.BadParameter(str(error), param_hint="DIR") from error
    if len({entry.key for entry in entries}) < len(entries):
        raise typer.BadParameter("a picture is named twice: give each set once, each picture once", param_hint="DIR")
    console = Console()
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("reading", total=len(entries))
        audited = audit_entries(
            entries,
            same=similarity,
            seed=seed,
            tick=lambda step, done, total: bar.update(task, description=step, completed=done, total=total),
        )
    report = audited.report.allowing(allow or ())
    _write(audited, report, out, pictures, ", ".join(folder.name for folder in folders))
    _write_pairs(report, merged, near)
    _print(report, console)
    if report.failed:
        raise typer.Exit(1)


def _prefixed(entries: "list[Entry]", folder: Path) -> "list[Entry]":
    from dataclasses import replace

    return [replace(entry, key=f"{folder.name}/{entry.key}") for entry in entries]


def _write(audited: "Audited", report: "AuditReport", out: Path | None, pictures: Path | None, title: str) -> None:
    from model_export.audit.page import audit_page, pair_png, worst_first

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "audit.json").write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
        (out / "index.html").write_text(audit_page(report, audited.pictures, title), encoding="utf-8")
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        for number, pair in enumerate(worst_first(report.pairs)):
            name = f"{number:05d}-{pair.correlation:.3f}.png"
            (pictures / name).write_bytes(pair_png(pair, audited.pictures))


def _write_pairs(report: "AuditReport", merged: Path | None, near: Path | None) -> None:
    from model_export.audit.merge import NearDuplicates, write_merged_groups

    found = NearDuplicates(pairs=tuple(report.pairs))
    if merged is not None:
        write_merged_groups(merged, found.groups())
    if near is not None:
        found.dump(near)


def _print(report: "AuditReport", console: Console) -> None:
    console.print(f"{report.pictures} pictures, {report.unreadable} unreadable, {report.groups} groups")
    table = Table("finding", "count", "fails", "for example")
    for kind, count in report.counts().most_common():
        of_kind = [finding for finding in report.findings if finding.kind == kind]
        fails = sum(finding.fails for finding in of_kind)
        examples = escape("\n".join(finding.detail for finding in of_kind[:_LISTED]))
        table.add_row(kind.value, str(count), str(fails), examples)
    if report.findings:
        console.print(table)
    if report.probes_skipped is not None:
        console.print(f"Probes left out: {escape(report.probes_skipped)}")
    else:
        probes = Table("probe", "balanced accuracy", "interval", "chance", "")
        for probe in report.probes:
            interval = f"{probe.accuracy.low:.3f} to {probe.accuracy.high:.3f}"
            mark = "[yellow]far above[/yellow]" if probe.flagged else ""
            probes.add_row(probe.name, f"{probe.accuracy.value:.3f}", interval, f"{probe.chance:.3f}", mark)
        console.print(probes)
    console.print("[red]The set fails the audit.[/red]" if report.failed else "[green]The set passes.[/green]")
