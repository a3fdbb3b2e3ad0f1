"""Tables of a Word document: how wide columns are, how large the type is, when a page is turned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import ceil, isnan
from typing import TYPE_CHECKING

from placeforecast.plot.fonts import width_of
from placeforecast.report.docx_text import clean, paragraph, run
from placeforecast.report.numbers import printed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.report.model import Cell, Column, Table

MOST_COLUMNS = 10
"""A table with more columns is printed on a turned page, and so is one that does not fit."""
SIZES = (10.5, 9.0, 7.5)
"""Sizes of type in points, the largest that suits is taken: 五号, 小五, 六号."""
TWIPS = 20
"""Units of Word in a point."""
MARGIN = 57
"""Beside the text of a cell, in twips: 1 mm."""
NARROWEST = 4
LONG_WORD = 20
"""A longer word may be broken, in half-width characters."""
COMFORT = 24
"""Width in half-width characters that a text should have before type is made smaller."""
MOST_WISHED = 80
LONG_LABEL = 16
"""A label that is no longer is put on one line where there is room."""
WIDE, BOLD = 1.1, 1.25
"""How much wider than digits the letters of a word are, and those of a heading."""
WORD = re.compile("[^\\s\u2e80-\U0010ffff]+")
"""What is not broken between lines; Chinese is, after every character."""
SHORT = 8
"""A table with no more rows is kept on one page."""
BELOW = "A8320A"
"""Colour of numbers below zero."""


@dataclass(frozen=True)
class Layout:
    """How a table is printed: size of type in points, widths of columns in twips."""

    size: float
    widths: tuple[int, ...]
    turned: bool


def shown(value: Cell, column: Column) -> str:
    """Return a value as it is printed; a number that is none is a blank."""
    missing = isinstance(value, float) and isnan(value)
    return printed(None if missing else value, column.form)


def layout_of(table: Table, width: int, turned_width: int | None) -> Layout:
    """Return how a table fits the page.

    Parameters
    ----------
    table : Table
    width : int
        Of the text on the page, in twips.
    turned_width : int or None
        The same on a turned page; None where pages are not turned.

    Returns
    -------
    Layout
        Never wider than the page.
    """
    needs = [_need(table, i) for i in range(len(table.columns))]
    size = _size_for(needs, width)
    if turned_width is None or (size is not None and len(needs) <= MOST_COLUMNS):
        return _laid(needs, width, size or SIZES[-1], turned=False)
    return _laid(needs, turned_width, _size_for(needs, turned_width) or SIZES[-1], turned=True)


@dataclass(frozen=True)
class _Need:
    """Widths of a column in half-width characters: for its words, to read well, for its lines."""

    least: float
    comfort: float
    wish: float


def _need(table: Table, index: int) -> _Need:
    column = table.columns[index]
    texts = [shown(row[index], column) for row in table.rows]
    widths = [width_of(text) for text in texts] or [0]
    whole = {shown(v, column) for row in table.rows if not isinstance(v := row[index], str)}
    words = {word for text in texts for word in WORD.findall(text)} - whole
    pieces = [WIDE * min(width_of(word), LONG_WORD) for word in words]
    pieces += [width_of(text) for text in whole]
    heads = [BOLD * min(width_of(word), LONG_WORD) for word in WORD.findall(column.label)]
    label = BOLD * width_of(column.label)
    least = max([*pieces, *heads, NARROWEST])
    usual = 2 * sum(widths) / len(widths)  # one long text does not make a wide column
    wish = max(least, min(max(widths), max(COMFORT, usual), MOST_WISHED), min(label, LONG_LABEL))
    return _Need(least, max(least, min(max(widths), COMFORT), ceil(label / 2)), wish)


def _room(columns: int, width: int) -> int:
    """Return what a line of a table has for text, in twips."""
    return width - columns * (2 * MARGIN + TWIPS)


def _size_for(needs: Sequence[_Need], width: int) -> float | None:
    """Return the largest type that suits; else the smallest; None where words do not fit."""
    room = _room(len(needs), width) / TWIPS
    comfort, least = sum(need.comfort for need in needs), sum(need.least for need in needs)
    suiting = [size for size in SIZES if comfort * size / 2 <= room]
    if suiting:
        return suiting[0]
    return SIZES[-1] if least * SIZES[-1] / 2 <= room else None


def _laid(needs: Sequence[_Need], width: int, size: float, *, turned: bool) -> Layout:
    """Share the width among the columns: what each needs, then what more it wishes."""
    unit = size / 2 * TWIPS
    room = _room(len(needs), width) / unit
    steps = [[getattr(need, name) for need in needs] for name in ("least", "comfort", "wish")]
    shares = [room * least / sum(steps[0]) for least in steps[0]]
    for low, high in pairwise(steps):
        more = sum(high) - sum(low)
        if sum(low) <= room < sum(high):
            part = (room - sum(low)) / more
            shares = [a + part * (b - a) for a, b in zip(low, high, strict=True)]
    if sum(steps[-1]) <= room:
        shares = [room * wish / sum(steps[-1]) for wish in steps[-1]]
    widths = tuple(int(share * unit) + 2 * MARGIN + TWIPS for share in shares)
    return Layout(size, widths, turned)


def table_xml(table: Table, layout: Layout, styles: Mapping[str, str]) -> str:
    """Return a table as XML: its heading is repeated on every page, and no row is broken.

    Parameters
    ----------
    table : Table
    layout : Layout
    styles : mapping
        Identifier of each style of the document.
    """
    half_points = round(2 * layout.size)
    size = f'<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>'
    heads = [_cell(c.label, c, styles["report head"], size, keep="") for c in table.columns]
    rows = [_row(heads, layout, "<w:tblHeader/>")]
    for number, values in enumerate(table.rows, start=1):
        last = number == len(table.rows)
        together = (len(table.rows) <= SHORT or number == 1) and not last
        keep = "<w:keepNext/>" if together or (last and table.note) else ""
        pairs = zip(values, table.columns, strict=True)
        cells = [
            _cell(shown(value, column), column, styles["report table"], size, keep=keep)
            for value, column in pairs
        ]
        rows.append(_row(cells, layout, ""))
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in layout.widths)
    title = escape(clean(table.title))
    properties = (
        f'<w:tblStyle w:val="{escape(styles["table grid"])}"/>'
        f'<w:tblW w:w="{sum(layout.widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        '<w:tblLayout w:type="fixed"/>'
        f'<w:tblCellMar><w:left w:w="{MARGIN}" w:type="dxa"/>'
        f'<w:right w:w="{MARGIN}" w:type="dxa"/></w:tblCellMar>'
        '<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" '
        f'w:lastColumn="0" w:noHBand="1" w:noVBand="1"/><w:tblCaption w:val="{title}"/>'
    )
    head = f"<w:tblPr>{properties}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>"
    return f"<w:tbl>{head}{''.join(rows)}</w:tbl>"


def _row(cells: Sequence[str], layout: Layout, kind: str) -> str:
    inside = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>'
        f"{cell}</w:tc>"
        for width, cell in zip(layout.widths, cells, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{kind}</w:trPr>{inside}</w:tr>"


def _cell(text: str, column: Column, style: str, size: str, *, keep: str) -> str:
    """Return the paragraph of a cell: numbers to the right, texts to the left."""
    number = column.form != "text"
    side = f'<w:jc w:val="{"right" if number else "left"}"/>'
    colour = f'<w:color w:val="{BELOW}"/>' if number and text.startswith("-") else ""
    return paragraph(style, run(text, colour + size), keep + side)
