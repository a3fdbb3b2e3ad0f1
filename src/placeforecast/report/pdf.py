"""The report on paper: A4, with a table of contents, numbered tables and figures, and page numbers.

The page is set by typst. It gets the report as data, so that no text of it is read as markup.
"""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from placeforecast.plot.fonts import svg_of
from placeforecast.report.columns import (
    INSET,
    LONG_WORD,
    MARGINS,
    WORD,
    set_table,
    text_width,
)
from placeforecast.report.html import LANG, shade
from placeforecast.report.model import Figure, Paragraph, Points, Table
from placeforecast.report.numbers import printed
from placeforecast.report.typeface import (
    FAMILIES,
    boxed,
    ems,
    font_files,
    lacking_in,
    on_one_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from placeforecast.report.model import Block, Report, Section

    Data = dict[str, Any]

TEMPLATE = "report.typ"
STANDARDS = ["a-2a", "ua-1"]
"""Can be archived, and read by a screen reader; typst refuses a page that would not comply."""
CREATED = 946_684_800
"""The first second of 2000, in every file: the same figures give the same bytes."""
NO_TYPST = (
    "writing a PDF needs the package typst, which is not installed or does not run here: "
    "install it (pip install typst), or write html and print that"
)
HEADER_SIZE = 8.0
HEADER_GAP = 4.0
"""Ems between region and title in the header."""


def write_pdf(report: Report, path: Path) -> None:
    """Write a report as a PDF that can be searched, printed, archived and read aloud.

    The same report gives the same bytes.

    Parameters
    ----------
    report : Report
    path : Path
        Is overwritten.

    Raises
    ------
    FileNotFoundError
        Without the Chinese font, which zhplot carries.
    ImportError
        Without typst.
    RuntimeError
        If typst has anything to object to.
    ValueError
        If a table is too wide for a page.

    Warns
    -----
    AssumptionWarning
        If no font has one of the characters; a box stands for it.
    """
    folders = list(dict.fromkeys(str(file.parent) for file in font_files()))
    typst = _typst()
    template = files("placeforecast.report").joinpath("template", TEMPLATE).read_bytes()
    figures = [b for section in report.sections for b in section.blocks if isinstance(b, Figure)]
    drawings = {figure.key: _svg(figure) for figure in figures}
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=folders
    )
    inputs = {
        "report": json.dumps(page_data(report), ensure_ascii=False),
        "figures": json.dumps(drawings),
    }
    try:
        made, warned = typst.compile_with_warnings(
            template,
            font_paths=fonts,
            ignore_system_fonts=True,
            sys_inputs=inputs,
            pdf_standards=STANDARDS,
            timestamp=CREATED,
        )
    except typst.TypstError as error:
        raise RuntimeError(f"typst could not set the report: {error.diagnostic}") from error
    if warned:
        raise RuntimeError(f"typst warns: {'; '.join(str(found.message) for found in warned)}")
    path.write_bytes(made)


def _typst() -> ModuleType:
    """Return typst, which has no wheel for every machine, or say what to do without it."""
    try:
        import typst
    except ImportError as error:
        raise ImportError(NO_TYPST) from error
    return typst


def _svg(figure: Figure) -> str:
    """Return a figure as an SVG that stands by itself, with every text as outlines."""
    drawn = svg_of(figure.drawn, name=figure.key, label=figure.alt)
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return drawn.replace("<svg ", f"<svg {spaces} ", 1)


def page_data(report: Report) -> Data:
    """Return what the template prints, with a box for each character that no font has.

    Warns
    -----
    AssumptionWarning
        If there is such a character.
    """
    language, _, land = LANG[report.language].partition("-")
    region = on_one_line(report.region)
    title = on_one_line(report.title)
    data = {
        "name": f"{region} – {title}",
        "mark": report.mark,
        "lang": language,
        "land": land,
        "region": region,
        "title": title,
        "subtitle": report.subtitle,
        "contents": report.contents,
        "header": [_cut(region, title), title],
        "sections": [
            {"title": section.title, "parts": _parts(section, report)}
            for section in report.sections
        ],
    }
    lacking = lacking_in(_texts(data))
    settings = {
        "fonts": FAMILIES,
        "margins": MARGINS,
        "inset": INSET,
        "long_word": f"{WORD}{{{LONG_WORD + 1},}}",
    }
    clean: Data = _each(data, lacking)
    return {**clean, **settings}


def _cut(region: str, title: str) -> str:
    """Return a region short enough to stand in one line with the title."""
    room = text_width(flipped=False) / HEADER_SIZE - HEADER_GAP - ems(title)
    if ems(region) <= room:
        return region
    kept = region
    while kept and ems(kept + "…") > room:
        kept = kept[:-1]
    return kept + "…"


def _parts(section: Section, report: Report) -> list[Data]:
    """Return the blocks of a section, in runs that stand on pages of the same orientation.

    A text stands with the table or figure that follows it; the last ones with what precedes.
    """
    blocks = [_block(block, report) for block in section.blocks]
    flips = [block.get("flipped") for block in blocks]
    for at in reversed(range(len(flips) - 1)):
        flips[at] = flips[at + 1] if flips[at] is None else flips[at]
    for at in range(1, len(flips)):
        flips[at] = flips[at - 1] if flips[at] is None else flips[at]
    runs = groupby(zip(flips, blocks, strict=True), key=lambda pair: bool(pair[0]))
    parts = [{"flipped": flipped, "blocks": [block for _, block in run]} for flipped, run in runs]
    return parts or [{"flipped": False, "blocks": []}]


def _block(block: Block, report: Report) -> Data:
    """Return a block as the template reads it."""
    match block:
        case Paragraph(text):
            return {"kind": "paragraph", "text": text}
        case Points(items):
            return {"kind": "points", "items": list(items)}
        case Figure():
            return {
                "kind": "figure",
                "key": block.key,
                "caption": block.caption,
                "alt": block.alt,
                "flipped": False,
            }
        case Table() if block.sheet:
            note = report.sheet_note.format(title=block.title, sheet=block.sheet)
            return {"kind": "elsewhere", "text": note}
        case Table():
            return _table(block)


def _table(table: Table) -> Data:
    setting = set_table(table)
    return {
        "kind": "table",
        "title": table.title,
        "note": table.note,
        "size": setting.size,
        "flipped": setting.flipped,
        "widths": setting.widths,
        "breaks": setting.breaks,
        "rows_break": setting.rows_break,
        "columns": [(column.label, column.form != "text") for column in table.columns],
        "rows": [
            [
                (printed(value, column.form), shade(value, column))
                for value, column in zip(row, table.columns, strict=True)
            ]
            for row in table.rows
        ],
    }


def _texts(data: Any) -> Iterator[str]:  # noqa: ANN401
    """Yield every text of the data, as a page shows it."""
    match data:
        case str():
            yield on_one_line(data)
        case dict():
            for value in data.values():
                yield from _texts(value)
        case list() | tuple():
            for value in data:
                yield from _texts(value)


def _each(data: Any, lacking: list[str]) -> Any:  # noqa: ANN401
    """Return the data with every text as a page shows it."""
    match data:
        case str():
            return boxed(on_one_line(data), lacking)
        case dict():
            return {key: _each(value, lacking) for key, value in data.items()}
        case list() | tuple():
            return [_each(value, lacking) for value in data]
        case _:
            return data
