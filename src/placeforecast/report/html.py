"""The report as one page that needs nothing else: styles, figures and script are inside."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from placeforecast.plot.fonts import svg_of
from placeforecast.report.html_explorer import data_text, policy, script_text
from placeforecast.report.model import Column, Figure, Paragraph, Points, Report, Table
from placeforecast.report.numbers import printed
from placeforecast.report.webfont import characters_of, embedded_font

if TYPE_CHECKING:
    from pathlib import Path

    from placeforecast.report.model import Cell

PAGE, BODY, EXPLORER, STYLE = "page.html.j2", "body.html.j2", "explorer.html.j2", "style.css"
LONG_WORD = 20
"""A longer word may be broken anywhere."""
LANG = {"zh": "zh-CN", "en": "en-GB"}


def write_html(report: Report, path: Path) -> None:
    """Write a report as one HTML file.

    Parameters
    ----------
    report : Report
    path : Path
        Is overwritten.
    """
    folder = files("placeforecast.report").joinpath("template")
    parts = (PAGE, BODY, EXPLORER, STYLE)
    sources = {name: folder.joinpath(name).read_text("utf-8") for name in parts}
    environment = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"printed": printed, "shade": shade, "svg": _svg, "css_text": css_text}
    environment.tests |= {
        "paragraph": lambda block: isinstance(block, Paragraph),
        "points": lambda block: isinstance(block, Points),
        "table": lambda block: isinstance(block, Table),
    }
    data = "" if report.explorer is None else data_text(report.explorer)
    script = script_text() if data else ""
    body = environment.get_template(BODY).render(report=report, data=Markup(data))
    font = embedded_font(characters_of(body))
    page = environment.get_template(PAGE).render(
        report=report,
        lang=LANG[report.language],
        policy=policy(script),
        body=Markup(body),
        script=Markup(script),
        font=font,
    )
    path.write_text(page, encoding="utf-8", newline="\n")


def _svg(figure: Figure) -> Markup:
    """Return a figure as markup: drawn by matplotlib, with every text as outlines."""
    return Markup(svg_of(figure.drawn, name=figure.key, label=figure.alt))


def shade(value: Cell, column: Column) -> str:
    """Return the class of a value: a blank, a number below or at zero, or a text of long words."""
    if value is None:
        return "none"
    if isinstance(value, str):
        return "long" if any(len(word) > LONG_WORD for word in value.split()) else ""
    if printed(value, column.form).startswith("-"):
        return "below"
    return "zero" if column.form in ("count", "signed") and printed(value, "count") == "0" else ""


def css_text(text: str) -> Markup:
    r"""Return a text as a CSS string in which every character is written by its number.

    Examples
    --------
    >>> from placeforecast.report.html import css_text
    >>> css_text("a<")
    Markup('"\\61 \\3c "')
    """
    return Markup('"' + "".join(f"\\{ord(character):x} " for character in text) + '"')
