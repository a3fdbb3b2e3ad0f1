"""How texts and tables stand on a sheet: rows of the heading, widths, cells, links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from placeforecast.plot.fonts import width_of
from placeforecast.report.numbers import STYLES, printed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from placeforecast.report.model import Cell, Table

    Sheet = Any  # XlsxWriter has no types
    Formats = Mapping[str, Any]

Addresses = dict[tuple[int, int], tuple[str, str]]
"""What cells of a table lead to, as XlsxWriter writes it, and what their texts end with, by row and
column of the table."""
LAST_ROW = 1_048_576
LONGEST = 32_767
NARROWEST, WIDEST = 8, 46
EXACT_WIDTH = 11
MEASURED_ROWS = 400
TEXT_WIDTH = 100
"""How wide a paragraph is at least, in half-width characters."""
UNSET = 8
"""How wide a column is that nothing sets."""
LINE = 16
"""Height of a line of text."""
MOST_LINES = 6
"""Of a heading."""
FILLED = 0.9
"""Share of a line that text fills before it breaks."""
HEAD_ROWS = 3
"""Region, title and the way back."""
FONT = "Microsoft YaHei"
RED, WHITE, BLUE = "#EF6548", "#FFFFFF", "#67A9CF"
FAR = 0.3
"""Shares from here on are shaded fully."""


class Spot(NamedTuple):
    """Where a table stands on a sheet: the rows, from 0, of its title, heading and first values."""

    title: int
    heading: int
    first: int


def formats_of(book: Any) -> Formats:  # noqa: ANN401
    """Return the formats of a workbook by what they are for."""
    font = {"font_name": FONT, "font_size": 10, "valign": "top"}
    grey = {**font, "font_color": "#595959"}
    head = {**font, "bold": True, "text_wrap": True, "bg_color": "#EEF1F5", "bottom": 1}
    code = {**grey, "font_name": "Consolas", "font_size": 9, "bg_color": "#EEF1F5", "bottom": 1}
    how = {**grey, "font_size": 8, "italic": True, "text_wrap": True}
    link = {**font, "font_color": "#0563C1", "underline": 1}
    made: dict[str, Any] = {
        form: book.add_format({**font, "num_format": style.code}) for form, style in STYLES.items()
    }
    return {
        **made,
        "text": book.add_format({**font, "num_format": "@", "align": "left", "indent": 1}),
        "plain": book.add_format({**font, "text_wrap": True}),
        "note": book.add_format({**grey, "text_wrap": True}),
        "region": book.add_format(grey),
        "title": book.add_format({**font, "font_size": 14, "bold": True}),
        "heading": book.add_format({**font, "font_size": 11, "bold": True}),
        "head": book.add_format({**head, "align": "right"}),
        "head text": book.add_format({**head, "align": "left", "indent": 1}),
        "code": book.add_format({**code, "align": "right"}),
        "code text": book.add_format({**code, "align": "left", "indent": 1}),
        "how": book.add_format(how),
        "link": book.add_format({**link, "num_format": "@", "align": "left", "indent": 1}),
        "back": book.add_format(link),
    }


def rows_of_heading(table: Table, how: Sequence[str]) -> int:
    """Return how many rows stand between the title of a table and its first values."""
    return bool(table.note) + bool(how) + 1 + any(column.code for column in table.columns)


def write_text(
    sheet: Sheet,
    row: int,
    text: str,
    span: tuple[int, int],
    form: Any,  # noqa: ANN401
) -> int:
    """Write a paragraph over the columns of a span; return the next row."""
    last, width = span
    sheet.merge_range(row, 0, row, last, text[:LONGEST], form)
    sheet.set_row(row, LINE * (1 + int(width_of(text) / (FILLED * width))))
    return row + 1


def span_of(widths: Mapping[int, int]) -> tuple[int, int]:
    """Return the last column of a paragraph, and how wide it is in half-width characters."""
    last = total = 0
    while total < TEXT_WIDTH:
        total += widths.get(last, UNSET)
        last += 1
    return max(last - 1, 1), total


def set_widths(sheet: Sheet, tables: Iterable[Table]) -> Mapping[int, int]:
    """Make each column as wide as what stands in it, within limits; return the widths."""
    widths: dict[int, int] = {}
    for table in tables:
        for i, column in enumerate(table.columns):
            shown = [printed(row[i], column.form) for row in table.rows[:MEASURED_ROWS]]
            widest = max([width_of(text) for text in shown], default=0)
            if column.form == "exact":
                widest = min(widest, EXACT_WIDTH)  # a spreadsheet shows as many digits as fit
            widest = max(widest, min(width_of(column.label), 14), width_of(column.code) + 2)
            widths[i] = max(widths.get(i, NARROWEST), min(widest + 3, WIDEST))
    for i, width in widths.items():
        sheet.set_column(i, i, width)
    return widths


def write_heading(
    sheet: Sheet,
    row: int,
    table: Table,
    how: Sequence[str],
    widths: Mapping[int, int],
    formats: Formats,
) -> int:
    """Write the note, what computes the columns, their names and codes; return the row below.

    Raises
    ------
    ValueError
        If the table has more rows than a sheet holds.
    """
    if row + len(table.rows) + rows_of_heading(table, how) > LAST_ROW:
        raise ValueError(f"table {table.key} has {len(table.rows)} rows, more than a sheet holds")
    if width_of(table.note) > span_of(widths)[1]:
        row = write_text(sheet, row, table.note, span_of(widths), formats["note"])
    elif table.note:
        sheet.write_string(row, 0, table.note[:LONGEST], formats["region"])
        row += 1
    if len(how) == 1:
        row = write_text(sheet, row, how[0], span_of(widths), formats["how"])
    elif how:
        row = _write_row(sheet, row, how, widths, [formats["how"]] * len(how))
    codes = [column.code for column in table.columns]
    kinds = [" text" if column.form == "text" else "" for column in table.columns]
    labels = [column.label for column in table.columns]
    row = _write_row(sheet, row, labels, widths, [formats[f"head{kind}"] for kind in kinds])
    if any(codes):
        row = _write_row(sheet, row, codes, widths, [formats[f"code{kind}"] for kind in kinds])
    return row


def _write_row(
    sheet: Sheet, row: int, texts: Sequence[str], widths: Mapping[int, int], forms: Sequence[Any]
) -> int:
    """Write a row of wrapped texts, as high as the longest needs; return the next row."""
    for i, (text, form) in enumerate(zip(texts, forms, strict=True)):
        sheet.write_string(row, i, text[:LONGEST], form)
    lines = max(
        sum(1 + int(width_of(part) / (FILLED * widths[i])) for part in text.split("\n"))
        for i, text in enumerate(texts)
    )
    sheet.set_row(row, LINE * min(lines, MOST_LINES))
    return row + 1


def write_cells(sheet: Sheet, row: int, table: Table, links: Addresses, formats: Formats) -> int:
    """Write the values of a table from a row on, cell by cell; return the row after them."""
    forms = [formats[column.form] for column in table.columns]
    for at, values in enumerate(table.rows):
        for i, value in enumerate(values):
            if (at, i) in links and value is not None:
                address, end = links[at, i]
                shown = printed(value, "text") + end
                sheet.write_url(row + at, i, address, formats["link"], shown[:LONGEST])
            elif isinstance(value, str):
                sheet.write_string(row + at, i, value[:LONGEST], formats["text"])
            elif value is not None:
                sheet.write_number(row + at, i, value, forms[i])
    return row + len(table.rows)


def short(value: Cell) -> Cell:
    """Return a value as a cell can hold it."""
    return value[:LONGEST] if isinstance(value, str) else value


def freeze(sheet: Sheet, first: int, table: Table) -> None:
    """Keep the heading in sight and on every page, and let the reader filter."""
    if table.rows:
        sheet.freeze_panes(first, table.heads)
        sheet.autofilter(first - 1, 0, first + len(table.rows) - 1, len(table.columns) - 1)
        names = 1 + any(column.code for column in table.columns)
        sheet.repeat_rows(first - names, first - 1)


def shade(sheet: Sheet, first: int, table: Table) -> None:
    """Shade the columns of a table that are signed shares: red below zero, blue above."""
    for i in table.scale if table.rows else ():
        sheet.conditional_format(
            first,
            i,
            first + len(table.rows) - 1,
            i,
            {
                "type": "3_color_scale",
                **dict.fromkeys(("min_type", "mid_type", "max_type"), "num"),
                "min_value": -FAR,
                "mid_value": 0,
                "max_value": FAR,
                "min_color": RED,
                "mid_color": WHITE,
                "max_color": BLUE,
            },
        )
