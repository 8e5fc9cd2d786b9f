"""A report as A4 pages of PDF, with the fonts in it; the same report gives the same bytes."""

import io
import threading
from functools import partial
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    Image,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from gateway.reporting import content
from gateway.reporting import pdf_style as style
from gateway.reporting.content import VERDICTS, Bar, Figure, Note, Report, Section
from gateway.reporting.wording import percent

_SIDE, _TOP, _BOTTOM = 13 * style.MM, 24 * style.MM, 16 * style.MM
_WIDTH = A4[0] - 2 * _SIDE
_HEIGHT = A4[1] - _TOP - _BOTTOM
_GUTTER = 8 * style.MM
_COLUMN = (_WIDTH - _GUTTER) / 2
_WIDE_FIGURE, _PAIRED_FIGURE, _PAIR_BELOW_WIDE = 160 * style.MM, 79 * style.MM, 47 * style.MM
_OTHER_LETTERS: Final = "(Written in letters that the typeface of this file lacks: report.html shows it.)"
# The typefaces are shared, and each keeps its place in the file while a part of it is read.
_ONE_AT_A_TIME: Final = threading.Lock()
# reportlab has no types.
_Story = list[Any]
_PLAIN_TABLE: Final = (
    # Else cells name Helvetica, which is not embedded, though they write nothing in it.
    ("FONTNAME", (0, 0), (-1, -1), style.REGULAR),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
)


def render_pdf(report: Report) -> bytes:
    """The pages; text can be selected and searched. Characters that the font lacks are drawn as a box."""
    style.register_fonts()
    out = io.BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_SIDE,
        rightMargin=_SIDE,
        topMargin=_TOP,
        bottomMargin=_BOTTOM,
        title=report.title,
        author="NeuroGate",
        subject=f"Brain MRI, analysis of {report.subject}. {report.disclaimer}",
        creator="NeuroGate",
        lang="en",
        initialFontName=style.REGULAR,
        invariant=1,
    )
    frame = Frame(_SIDE, _BOTTOM, _WIDTH, _HEIGHT, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    document.addPageTemplates(PageTemplate(frames=[frame], onPage=partial(_furnish, report)))
    with _ONE_AT_A_TIME:
        document.build(_story(report))
    return out.getvalue()


def _furnish(report: Report, canvas: Canvas, document: BaseDocTemplate) -> None:
    """What stands on every page: the head with the analysis' id, the disclaimer, the page's number."""
    canvas.setDateFormatter(lambda *_: f"D:{report.created_at:%Y%m%d%H%M%S}+00'00'")
    top, bottom = A4[1] - 18 * style.MM, 12 * style.MM
    right = A4[0] - _SIDE
    canvas.setStrokeColor(style.INK)
    canvas.setLineWidth(0.35 * style.MM)
    canvas.line(_SIDE, top, right, top)
    canvas.line(_SIDE, bottom, right, bottom)
    canvas.setFillColor(style.INK)
    canvas.setFont(style.BOLD, 11.5)
    canvas.drawString(_SIDE, top + 2.6 * style.MM, "NeuroGate")
    canvas.setFont(style.BOLD, 7.2)
    canvas.drawString(_SIDE, bottom - 3.6 * style.MM, report.disclaimer)
    canvas.setFillColor(style.QUIET)
    canvas.setFont(style.REGULAR, 8.4)
    canvas.drawString(_SIDE + 26.5 * style.MM, top + 2.6 * style.MM, f"Brain MRI, analysis of {report.subject}")
    canvas.setFont(style.REGULAR, 7.2)
    canvas.drawRightString(right, top + 5.6 * style.MM, f"{report.created_at:%Y-%m-%d %H:%M:%S} UTC")
    canvas.drawRightString(right, top + 2.2 * style.MM, report.analysis_id)
    canvas.drawRightString(right, bottom - 3.6 * style.MM, f"{report.origin}  {document.page}")


def _story(report: Report) -> _Story:
    story: _Story = [_verdict(report), Spacer(1, 3.5 * style.MM)]
    for figure in report.wide_figures:
        story.append(KeepTogether(_figure(figure, _WIDTH, _WIDE_FIGURE)))
    if paired := report.paired_figures:
        width = (_WIDTH - _GUTTER / 2 * (len(paired) - 1)) / len(paired)
        height = _PAIR_BELOW_WIDE if report.wide_figures else _PAIRED_FIGURE
        cells = [_figure(figure, min(width, _WIDTH / 2), height) for figure in paired]
        centered = TableStyle([*_PLAIN_TABLE, ("ALIGN", (0, 0), (-1, -1), "CENTER")])
        story.append(Table([cells], colWidths=[_WIDTH / len(paired)] * len(paired), style=centered))
    left, right = (
        [flowable for part in side for flowable in _section(part, _COLUMN)] for side in (report.left, report.right)
    )
    # A heading alone at a page's foot is worse than an empty foot.
    story.append(CondPageBreak(60 * style.MM))
    story.append(
        Table([[left, [], right]], colWidths=[_COLUMN, _GUTTER, _COLUMN], style=TableStyle(_PLAIN_TABLE), splitInRow=1)
    )
    for part in report.below:
        story.append(KeepTogether(_section(part, _WIDTH)))
    return story


def _verdict(report: Report) -> Table:
    tone = style.TONES[report.verdict]
    state = Paragraph(f'<font color="{tone.hexval()}">{VERDICTS[report.verdict].upper()}</font>', style.STATE)
    lines = [state, Paragraph(escape(report.headline), style.HEADLINE), Paragraph(escape(report.lead), style.PLAIN)]
    lines += [Paragraph(escape(reason), style.REASON, bulletText="\u2022") for reason in report.reasons]
    box = Table([[line] for line in lines], colWidths=[_WIDTH], splitInRow=1)
    box.setStyle(
        TableStyle(
            [
                ("FONTNAME", (0, 0), (-1, -1), style.REGULAR),
                ("BACKGROUND", (0, 0), (-1, -1), style.SOFT),
                ("LINEBEFORE", (0, 0), (0, -1), 1.4 * style.MM, tone),
                ("LEFTPADDING", (0, 0), (-1, -1), 4 * style.MM),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4 * style.MM),
                ("TOPPADDING", (0, 0), (-1, -1), 0.6 * style.MM),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 0.6 * style.MM),
                ("TOPPADDING", (0, 0), (-1, 0), 2.6 * style.MM),
                ("BOTTOMPADDING", (0, -1), (-1, -1), 2.8 * style.MM),
            ]
        )
    )
    return box


def _figure(figure: Figure, width: float, height: float) -> _Story:
    columns, rows = ImageReader(io.BytesIO(figure.png)).getSize()
    zoom = min(width / columns, height / rows)
    picture = Image(io.BytesIO(figure.png), columns * zoom, rows * zoom)
    return [picture, Paragraph(escape(figure.caption), style.CAPTION), Spacer(1, 3 * style.MM)]


def _section(part: Section, width: float) -> _Story:
    story: _Story = [Paragraph(escape(part.title.upper()), style.TITLE)]
    story += [_note(note) for note in part.lead]
    if part.bars:
        story.append(_bars(part.bars, width))
    if part.rows:
        lines = [
            [Paragraph(escape(row.name), style.PLAIN), Paragraph(escape(row.value), style.RIGHT)] for row in part.rows
        ]
        story.append(_ruled(lines, [width * 0.54, width * 0.46]))
    if part.table is not None:
        header = [Paragraph(escape(cell), style.CELL_TITLE) for cell in part.table.header]
        lines = [[Paragraph(escape(cell), style.CELL) for cell in line] for line in part.table.lines]
        story.append(_ruled([header, *lines], _widths(part.table, width)))
    story += [_note(note) for note in part.notes]
    return [*story, Spacer(1, 3.2 * style.MM)]


def _widths(table: content.Table, width: float) -> list[float]:
    """Columns as wide as their longest text asks for, within reason."""
    cells = zip(table.header, *table.lines, strict=True)
    shares = [min(max(7, *(len(cell) for cell in column)), 32) for column in cells]
    return [width * share / sum(shares) for share in shares]


def _note(note: Note) -> Paragraph:
    text = note.text if style.has_letters(note.text) else _OTHER_LETTERS
    return Paragraph(escape(text), style.NOTES[note.tone])


def _ruled(lines: list[list[Paragraph]], widths: list[float]) -> Table:
    table = Table(lines, colWidths=widths)
    rules = [("LINEBELOW", (0, 0), (-1, -1), 0.2 * style.MM, style.LINE)]
    padding = [("TOPPADDING", (0, 0), (-1, -1), 1.6), ("BOTTOMPADDING", (0, 0), (-1, -1), 2.4)]
    table.setStyle(TableStyle([*_PLAIN_TABLE, *padding, *rules]))
    return table


def _bars(bars: tuple[Bar, ...], width: float) -> Table:
    names, odds = width * 0.34, width * 0.22
    lines = []
    for bar in bars:
        name, value = (style.CHOSEN, style.CHOSEN_RIGHT) if bar.chosen else (style.PLAIN, style.RIGHT)
        track = _Track(width - names - odds - 3 * style.MM, bar)
        lines.append([Paragraph(escape(bar.name), name), track, Paragraph(percent(bar.percent / 100), value)])
    table = Table(lines, colWidths=[names, width - names - odds, odds])
    table.setStyle(TableStyle([*_PLAIN_TABLE, ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]))
    return table


class _Track(Flowable):  # type: ignore[misc] # reportlab has no types
    """A bar on its track."""

    def __init__(self, width: float, bar: Bar) -> None:
        super().__init__()
        self.width, self.height = width, 2.6 * style.MM
        self._bar = bar

    def draw(self) -> None:
        """Paint it, as reportlab asks."""
        self.canv.setFillColor(style.SOFT)
        self.canv.rect(0, 0, self.width, self.height, stroke=0, fill=1)
        self.canv.setFillColor(style.ACCENT if self._bar.plausible else style.BAR)
        self.canv.rect(0, 0, self.width * min(self._bar.percent, 100) / 100, self.height, stroke=0, fill=1)
