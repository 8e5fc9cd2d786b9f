"""A report as a printable page: HTML without scripts and without a single outside request."""

import base64
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from gateway.reporting.content import VERDICTS, Report
from gateway.reporting.wording import percent


def render_html(report: Report) -> str:
    """A4 pages of HTML; pictures are inline."""
    return _template().render(report=report, state=VERDICTS[report.verdict])


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("gateway.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["inline"] = _inline
    return environment.get_template("report.html.j2")


def _inline(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
