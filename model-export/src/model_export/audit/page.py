"""The audit as one self-contained HTML page: findings, probes, and the pictures of the duplicate pairs side by side."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from model_export.audit.findings import AuditReport, DuplicatePair, Finding, Kind
from model_export.audit.pictures import Picture
from model_export.audit.turns import turn_name, turned

SHOWN_PAIRS = 240
_SHOWN_FINDINGS = 200
_ZOOM = 2
_GAP_PX = 4
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { padding: .25rem .8rem; text-align: left; border-bottom: 1px solid #8884; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.bad { color: #c62828; font-weight: 600; } .good { color: #2e7d32; font-weight: 600; } .muted { opacity: .7; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(25rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figure img { width: 100%; image-rendering: pixelated; border-radius: 4px; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; }
"""


def pair_picture(pair: DuplicatePair, pictures: Mapping[str, Picture]) -> NDArray[np.uint8]:
    """`[128, 392]`: the first picture, the second as it lies in its file, and the second as it was compared.

    Where the comparison was on the head's own axes, the first is shown so too, before the last.
    """
    first, second = pictures[pair.first], pictures[pair.second]
    shown = [first.plain, second.plain]
    if pair.upright:
        shown += [first.upright, turned(second.upright, pair.turn)]
    else:
        shown.append(turned(second.plain, pair.turn))
    gap = np.full((shown[0].shape[0], _GAP_PX // _ZOOM), 128, np.uint8)
    row = np.hstack([part for picture in shown for part in (picture, gap)][:-1])
    size = (row.shape[1] * _ZOOM, row.shape[0] * _ZOOM)
    return np.asarray(cv2.resize(np.ascontiguousarray(row), size, interpolation=cv2.INTER_NEAREST), np.uint8)


def pair_png(pair: DuplicatePair, pictures: Mapping[str, Picture]) -> bytes:
    """The pair's picture as a PNG file."""
    encoded: NDArray[np.uint8] = np.asarray(cv2.imencode(".png", pair_picture(pair, pictures))[1], np.uint8)
    return encoded.tobytes()


def worst_first(pairs: Iterable[DuplicatePair]) -> list[DuplicatePair]:
    """Pairs in the order in which they matter: contradicting labels, across sides, across groups, then the rest.

    Within each, the least alike come first: they are the ones to doubt.
    """
    return sorted(pairs, key=lambda p: (not p.labels_differ, not p.crosses_sides, not p.crosses_groups, p.correlation))


def audit_page(report: AuditReport, pictures: Mapping[str, Picture], title: str) -> str:
    """The whole page; no script, no address, all pictures inside."""
    verdict = '<p class="bad">Failed.</p>' if report.failed else '<p class="good">Passed.</p>'
    parts = [
        f"<h1>Audit of {escape(title)}</h1>{verdict}",
        f"<p>{report.pictures} pictures, {report.unreadable} unreadable files, {report.groups} groups.</p>",
        "<h2>Findings</h2>" + _findings(report),
        "<h2>Shortcut probes</h2>" + _probes(report),
        "<h2>What the set holds</h2>",
        *(
            f"<h3>{name}</h3>" + _table((name, "pictures"), [(key, str(n)) for key, n in list(counts.items())[:20]])
            for name, counts in (
                ("class", report.labels),
                ("side", report.sides),
                ("size", report.sizes),
                ("mode", report.modes),
            )
            if counts
        ),
        "<h2>Duplicate pairs</h2>" + _pairs(report, pictures),
    ]
    head = f'<meta charset="utf-8"><title>Audit of {escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _findings(report: AuditReport) -> str:
    if not report.findings:
        return "<p>None.</p>"
    rows = []
    for kind, count in report.counts().most_common():
        fails = any(finding.fails for finding in report.findings if finding.kind == kind)
        rows.append((kind.value, str(count), "fails" if fails else "noted"))
    listed = sorted(report.findings, key=lambda finding: not finding.fails)[:_SHOWN_FINDINGS]
    items = "".join(f"<li>{_item(finding)}</li>" for finding in listed)
    more = len(report.findings) - len(listed)
    rest = f'<p class="muted">{more} more in audit.json.</p>' if more else ""
    return (
        _table(("kind", "count", ""), rows) + f"<details><summary>one by one</summary><ul>{items}</ul>{rest}</details>"
    )


def _item(finding: Finding) -> str:
    mark = "bad" if finding.fails else "muted"
    allowed = " (allowed)" if finding.allowed else ""
    return f'<span class="{mark}">{finding.kind.value}{allowed}</span> {escape(finding.detail)}'


def _probes(report: AuditReport) -> str:
    if report.probes_skipped is not None:
        return f"<p>Left out: {escape(report.probes_skipped)}.</p>"
    rows = [
        (
            probe.name,
            probe.detail,
            f"{probe.accuracy.value:.3f} ({probe.accuracy.low:.3f} to {probe.accuracy.high:.3f})",
            f"{probe.chance:.3f}",
            Kind.SHORTCUT.value if probe.flagged else "",
        )
        for probe in report.probes
    ]
    note = "<p>Balanced accuracy, five-fold cross-validation of whole groups, 95 % group-bootstrap interval.</p>"
    return note + _table(("probe", "sees", "accuracy", "chance", ""), rows)


def _pairs(report: AuditReport, pictures: Mapping[str, Picture]) -> str:
    if not report.pairs:
        return "<p>None.</p>"
    shown = worst_first(report.pairs)[:SHOWN_PAIRS]
    note = (
        f"<p>{len(report.pairs)} pairs; {len(shown)} shown, those that matter most and are least alike first. In each: "
        "the first, the second as it lies in its file, and the two as they were compared.</p>"
    )
    return note + f'<div class="pairs">{"".join(_figure(pair, pictures) for pair in shown)}</div>'


def _figure(pair: DuplicatePair, pictures: Mapping[str, Picture]) -> str:
    data = base64.b64encode(pair_png(pair, pictures)).decode("ascii")
    caption = f"{pair.first}, {pair.second}: " + ("same pixels" if pair.exact else f"{pair.correlation:.3f}")
    if not pair.exact:
        caption += f", {turn_name(pair.turn)}" + (" on the head's axes" if pair.upright else "")
    for crosses, first, second in (
        (pair.labels_differ, pair.first_label, pair.second_label),
        (pair.crosses_sides, pair.first_side, pair.second_side),
        (pair.crosses_groups, pair.first_group, pair.second_group),
    ):
        caption += f"; {first} / {second}" if crosses else ""
    text = escape(caption)
    return f'<figure><img alt="{text}" src="data:image/png;base64,{data}"><figcaption>{text}</figcaption></figure>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td{_number(cell)}>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{cells}</tr>{body}</table>"


def _number(cell: str) -> str:
    return ' class="number"' if cell[:1].isdigit() else ""
