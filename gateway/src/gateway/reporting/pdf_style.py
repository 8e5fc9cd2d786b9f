"""The typefaces, colors and paragraph styles of the PDF: those of the HTML page, in print."""

from functools import cache
from typing import Final

from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from gateway.reporting.content import Tone
from gateway.schemas import Verdict

MM: Final[float] = mm
REGULAR, BOLD = "Vera", "Vera-Bold"

INK, QUIET = HexColor("#16202b"), HexColor("#5d6a78")
LINE, SOFT = HexColor("#dbe1e7"), HexColor("#f4f6f8")
ACCENT, BAR = HexColor("#0b6e99"), HexColor("#a9b8c6")
TONES: Final[dict[Verdict, HexColor]] = {
    "answer": HexColor("#1d7a50"),
    "review": HexColor("#a35c00"),
    "refuse": HexColor("#a4262c"),
}

# Vera is wider than a screen's typeface: half a point smaller than the page.
PLAIN = ParagraphStyle("plain", fontName=REGULAR, fontSize=8.2, leading=11.4, textColor=INK)
RIGHT = ParagraphStyle("right", PLAIN, alignment=TA_RIGHT)
CHOSEN = ParagraphStyle("chosen", PLAIN, fontName=BOLD)
CHOSEN_RIGHT = ParagraphStyle("chosen_right", CHOSEN, alignment=TA_RIGHT)
STATE = ParagraphStyle("state", PLAIN, fontName=BOLD, fontSize=7.2, leading=9.5)
HEADLINE = ParagraphStyle("headline", PLAIN, fontName=BOLD, fontSize=14.5, leading=18)
REASON = ParagraphStyle("reason", PLAIN, leftIndent=3.6 * MM, bulletIndent=0.6 * MM, bulletFontName=REGULAR)
TITLE = ParagraphStyle("title", PLAIN, fontName=BOLD, fontSize=7.2, leading=9, textColor=QUIET, spaceAfter=1.4 * MM)
CAPTION = ParagraphStyle(
    "caption", PLAIN, fontSize=7.2, leading=9.4, textColor=QUIET, alignment=TA_CENTER, spaceBefore=1 * MM
)
CELL = ParagraphStyle("cell", PLAIN, fontSize=7.2, leading=9.2)
CELL_TITLE = ParagraphStyle("cell_title", CELL, fontName=BOLD)
_SMALL = ParagraphStyle("small", PLAIN, fontSize=7.2, leading=9.6, spaceBefore=0.6 * MM)
NOTES: Final[dict[Tone, ParagraphStyle]] = {
    "plain": PLAIN,
    "faint": ParagraphStyle("faint", PLAIN, textColor=QUIET),
    "small": _SMALL,
    "fine": ParagraphStyle("fine", _SMALL, textColor=QUIET),
}


def has_letters(text: str) -> bool:
    """Whether the typeface has a letter for each character. Needs `register_fonts`."""
    known = pdfmetrics.getFont(REGULAR).face.charToGlyph
    return all(letter.isspace() or ord(letter) in known for letter in text)


@cache
def register_fonts() -> None:
    """Bitstream Vera, which comes with reportlab and may be embedded."""
    # Pictures as bytes: as letters they are a quarter larger and take as long as all else together.
    rl_config.useA85 = 0
    pdfmetrics.registerFont(TTFont(REGULAR, "Vera.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, "VeraBd.ttf"))
