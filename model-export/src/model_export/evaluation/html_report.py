"""`report.html`: one file with every table and chart in it, that opens without a network."""

import base64
import html
import re
from collections.abc import Mapping
from pathlib import Path

from model_export.catalog import RESEARCH_ONLY
from model_export.evaluation.assembly import Results
from model_export.evaluation.display import shown
from model_export.evaluation.sections import Chart, Section, Table, Target
from model_export.evaluation.style import svg_of

_STYLE = """
:root { --ink: #1f2328; --soft: #57606a; --line: #d8dee4; --pale: #f6f8fa; --blue: #2f6f9f; --red: #b5443c;
  --green: #33784b; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; font: 15px/1.55 system-ui, "Segoe UI", Roboto, sans-serif; }
.page { display: grid; grid-template-columns: 15rem minmax(0, 62rem); gap: 3rem; padding: 2rem; margin: 0 auto;
  max-width: 84rem; }
nav { position: sticky; top: 2rem; align-self: start; font-size: 14px; }
nav a { display: block; padding: .22rem 0; color: var(--soft); text-decoration: none; }
nav a:hover { color: var(--blue); }
nav strong { display: block; margin-bottom: .5rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; margin: 3.2rem 0 .8rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.8rem 0 .5rem; }
p { max-width: 48rem; margin: .6rem 0; }
.note, figcaption { color: var(--soft); font-size: 13.5px; max-width: 48rem; }
.notice { border-left: 3px solid var(--red); padding: .3rem 0 .3rem 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; margin: .3rem 0; }
th { text-align: left; font-weight: 600; background: var(--pale); vertical-align: bottom; }
th, td { padding: .32rem .9rem .32rem .5rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { white-space: normal; }
td.text { white-space: normal; min-width: 11rem; max-width: 30rem; }
td .range { color: var(--soft); font-size: 12.5px; }
.wide td .range { display: block; line-height: 1.1; }
tr:hover td { background: var(--pale); }
.met { color: var(--green); font-weight: 600; } .unmet { color: var(--red); font-weight: 600; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: end; margin: 1.2rem 0; }
figure { margin: 0; max-width: 100%; } figure img { max-width: 100%; height: auto; }
figcaption { margin-top: .2rem; }
code { background: var(--pale); padding: .08rem .3rem; border-radius: 3px; font-size: 90%; }
@media (max-width: 60rem) { .page { display: block; padding: 1rem; } nav { position: static; } }
@media print { nav { display: none; } .page { display: block; } h2 { break-before: page; } }
"""
_NARROW, _SENTENCE = 5, 26
_RANGE = re.compile(r"^(\S+) (\(\S+ to \S+\))$")


def write_html(path: Path, results: Results, chapters: Mapping[str, Section]) -> None:
    """Write the report; charts are drawn here."""
    links = "".join(f'<a href="#{key}">{_text(section.title)}</a>' for key, section in chapters.items())
    body = "".join(_chapter(key, section) for key, section in chapters.items())
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>NeuroGate: evaluation</title><style>{_STYLE}</style></head><body><div class="page">
<nav><strong>NeuroGate</strong><a href="#targets">Targets and what was measured</a>{links}</nav><main>
<h1>Evaluation of the published models</h1>
<p class="notice">{_text(RESEARCH_ONLY)}</p>
<p><strong>Protocol.</strong> {_text(results.protocol)}</p>
<p class="note">Written by <code>{_text(results.command)}</code>; every figure comes out of <code>results.json</code>,
none is typed by hand.</p>
<h2 id="targets">Targets and what was measured</h2>
{_targets([target for section in chapters.values() for target in section.targets])}
{_missing(results)}
{body}</main></div></body></html>
"""
    path.write_text(page, encoding="utf-8")


def _chapter(key: str, section: Section) -> str:
    parts = [f'<h2 id="{key}">{_text(section.title)}</h2>']
    parts += [f"<p>{_rich(paragraph)}</p>" for paragraph in section.intro]
    if section.tables:
        parts.append(_table(section.tables[0]))
    if section.charts:
        parts.append(f'<div class="charts">{"".join(_figure(chart) for chart in section.charts)}</div>')
    parts += [_table(table) for table in section.tables[1:]]
    parts += [f'<p class="note">{_rich(note)}</p>' for note in section.notes]
    return "\n".join(parts)


def _targets(targets: list[Target]) -> str:
    if not targets:
        return "<p>Nothing was measured yet.</p>"
    rows = "".join(
        f'<tr><td class="text">{_text(target.name)}</td><td>{_text(target.wanted())}</td>'
        f"<td>{_cell(shown(target.measured))}</td><td>{_verdict(target)}</td></tr>"
        for target in targets
    )
    head = "<tr><th>figure</th><th>wanted</th><th>measured (95 % interval)</th><th></th></tr>"
    return f'<div class="scroll"><table>{head}{rows}</table></div>'


def _verdict(target: Target) -> str:
    return '<span class="met">met</span>' if target.met else '<span class="unmet">not met</span>'


def _missing(results: Results) -> str:
    if not results.missing:
        return ""
    rows = "".join(f"<li><code>{_text(key)}</code>: {_text(note)}</li>" for key, note in results.missing.items())
    return f'<div class="note">Not measured (or not again) when this was written:<ul>{rows}</ul></div>'


def _table(table: Table) -> str:
    head = "".join(f"<th>{_text(column)}</th>" for column in table.columns)
    rows = ""
    for row in table.rows:
        cells = [shown(cell) for cell in row]
        rows += "<tr>" + "".join(_data(text, isinstance(c, str)) for text, c in zip(cells, row, strict=True)) + "</tr>"
    title = f"<h3>{_text(table.title)}</h3>" if table.title else ""
    note = f'<p class="note">{_rich(table.note)}</p>' if table.note else ""
    wide = ' class="wide"' if len(table.columns) > _NARROW else ""
    return f'{title}<div class="scroll"><table{wide}><tr>{head}</tr>{rows}</table></div>{note}'


def _data(text: str, is_text: bool) -> str:
    """Numbers that come as text stay narrow; only sentences wrap."""
    if is_text and len(text) > _SENTENCE:
        return f'<td class="text">{_rich(text)}</td>'
    return f"<td>{_rich(text) if is_text else _cell(text)}</td>"


def _cell(text: str) -> str:
    found = _RANGE.match(text)
    return f'{_text(found[1])} <span class="range">{_text(found[2])}</span>' if found else _text(text)


def _figure(chart: Chart) -> str:
    picture = base64.b64encode(svg_of(chart.draw()).encode()).decode()
    return (
        f'<figure><img alt="{html.escape(chart.alt, quote=True)}" src="data:image/svg+xml;base64,{picture}">'
        f"<figcaption>{_text(chart.title)}. {_text(chart.alt)}</figcaption></figure>"
    )


def _text(text: str) -> str:
    return html.escape(text, quote=False)


def _rich(text: str) -> str:
    escaped = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", _text(text))
    escaped = re.sub(r"\[([^\]]+)\]\((https://[^)\s]+)\)", r'<a href="\2">\1</a>', escaped)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", escaped)
