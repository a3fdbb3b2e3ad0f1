"""The report as a workbook: every table of it, and every row of the balance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import xlsxwriter

from placeforecast.plot.fonts import width_of
from placeforecast.report.longsheet import LongSheet
from placeforecast.report.model import Figure, Paragraph, Points, Section, Table
from placeforecast.report.numbers import STYLES, printed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from placeforecast.report.model import Block, Cell, Report

    Sheet = Any  # XlsxWriter has no types
    Formats = Mapping[str, Any]

CREATED = datetime(2000, 1, 1)
"""The same in every workbook, so that the same figures give the same bytes."""
OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
LAST_ROW = 1_048_576
LONGEST = 32_767
NARROWEST, WIDEST = 8, 46
MEASURED_ROWS = 400
A4 = 9
TEXT_WIDTH = 100
"""How wide a paragraph is at least, in half-width characters."""
UNSET = 8
"""How wide a column is that nothing sets."""
LINE = 16
"""Height of a line of text."""
MOST_LINES = 5
"""Of a heading."""
FILLED = 0.9
"""Share of a line that text fills before it breaks."""


def write_xlsx(report: Report, path: Path) -> None:
    """Write a report as a workbook.

    Parameters
    ----------
    report : Report
    path : Path
        Is overwritten.

    Raises
    ------
    ValueError
        If a table has more rows than a sheet holds.
    RuntimeError
        With a release of XlsxWriter that this module does not fit.
    """
    sheets: list[LongSheet] = []
    with xlsxwriter.Workbook(str(path), OPTIONS) as book:
        book.set_properties({"title": report.title, "subject": report.region, "created": CREATED})
        formats = _formats(book)
        for section in report.sections:
            own = [b for b in section.blocks if isinstance(b, Table) and b.sheet]
            others = [b for b in section.blocks if b not in own]
            sheet = _sheet(book, section.sheet, report)
            _write_section(sheet, section, others, report, formats)
            for table in own:
                sheets.append(_sheet(book, table.sheet, report, LongSheet))
                _write_own_sheet(sheets[-1], table, report, formats)
    if not all(sheet.finished for sheet in sheets):
        raise RuntimeError("this release of XlsxWriter writes rows in another way; see LongSheet")


def _formats(book: Any) -> Formats:  # noqa: ANN401
    font = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top"}
    head = {**font, "bold": True, "text_wrap": True, "bg_color": "#EEF1F5", "bottom": 1}
    made: dict[str, Any] = {
        form: book.add_format({**font, "num_format": style.code}) for form, style in STYLES.items()
    }
    return {
        **made,
        "text": book.add_format({**font, "num_format": "@", "align": "left", "indent": 1}),
        "plain": book.add_format({**font, "text_wrap": True}),
        "note": book.add_format({**font, "text_wrap": True, "font_color": "#595959"}),
        "region": book.add_format({**font, "font_color": "#595959"}),
        "title": book.add_format({**font, "font_size": 14, "bold": True}),
        "heading": book.add_format({**font, "font_size": 11, "bold": True}),
        "head": book.add_format({**head, "align": "right"}),
        "head text": book.add_format({**head, "align": "left", "indent": 1}),
    }


def _sheet(book: Any, name: str, report: Report, kind: type | None = None) -> Sheet:  # noqa: ANN401
    """Add a sheet that prints on landscape A4, with the region on every page."""
    sheet = book.add_worksheet(name, kind)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    region, title = (text.replace("&", "&&") for text in (report.region[:80], report.title[:40]))
    sheet.set_header(f"&L{region}&R{title}")
    sheet.set_footer("&C&P / &N")
    return sheet


def _write_section(
    sheet: Sheet, section: Section, blocks: Iterable[Block], report: Report, formats: Formats
) -> None:
    """Write a section: its texts and tables below one another."""
    first = section is report.sections[0]
    row = _write_head(sheet, report.title if first else section.title, report, formats)
    if first:
        sheet.write_string(row, 0, report.subtitle[:LONGEST], formats["region"])
        row += 2
    tables = [block for block in blocks if isinstance(block, Table)]
    widths = _set_widths(sheet, tables)
    span = _span(widths)
    for block in blocks:
        match block:
            case Table():
                single = len(tables) == 1 and not first
                row = _write_table(sheet, row, block, widths, formats, single=single) + 1
            case Points(items):
                for item in items:
                    row = _write_text(sheet, row, f"· {item}", span, formats["plain"])
            case Paragraph(text):
                row = _write_text(sheet, row, text, span, formats["plain"])
            case Figure():
                pass  # figures stand in the page
    if first:
        _write_contents(sheet, row, report, formats)


def _write_contents(sheet: Sheet, row: int, report: Report, formats: Formats) -> None:
    """List the sheets of the workbook on the first one."""
    row += 1
    sheet.write_string(row, 0, report.contents, formats["heading"])
    listed = []
    for part in report.sections[1:]:
        own = [block for block in part.blocks if isinstance(block, Table) and block.sheet]
        listed += [(part.sheet, part.title), *((table.sheet, table.note) for table in own)]
    for at, (name, title) in enumerate(listed, start=row + 1):
        sheet.write_string(at, 0, name, formats["text"])
        sheet.write_string(at, 1, title[:LONGEST], formats["text"])


def _write_own_sheet(sheet: LongSheet, table: Table, report: Report, formats: Formats) -> None:
    """Write a long table on a sheet of its own."""
    row = _write_head(sheet, table.title, report, formats)
    row = _write_heading(sheet, row, table, _set_widths(sheet, [table]), formats)
    rows = [[_short(value) for value in values] for values in table.rows]
    forms = [(formats["text"], formats[column.form]) for column in table.columns]
    sheet.add_rows(row, rows, forms)
    _freeze(sheet, row, table)


def _short(value: Cell) -> Cell:
    """Return a value as a cell can hold it."""
    return value[:LONGEST] if isinstance(value, str) else value


def _write_head(sheet: Sheet, title: str, report: Report, formats: Formats) -> int:
    sheet.write_string(0, 0, report.region[:LONGEST], formats["region"])
    sheet.write_string(1, 0, title[:LONGEST], formats["title"])
    sheet.set_row(1, 1.5 * LINE)
    return 2


def _write_text(
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


def _span(widths: Mapping[int, int]) -> tuple[int, int]:
    """Return the last column of a paragraph, and how wide it is in half-width characters."""
    last = total = 0
    while total < TEXT_WIDTH:
        total += widths.get(last, UNSET)
        last += 1
    return max(last - 1, 1), total


def _set_widths(sheet: Sheet, tables: list[Table]) -> Mapping[int, int]:
    """Make each column as wide as what stands in it, within limits; return the widths."""
    widths: dict[int, int] = {}
    for table in tables:
        for i, column in enumerate(table.columns):
            shown = [printed(row[i], column.form) for row in table.rows[:MEASURED_ROWS]]
            widest = max([width_of(text) for text in shown], default=0)
            widest = max(widest, min(width_of(column.label), 14))
            widths[i] = max(widths.get(i, NARROWEST), min(widest + 3, WIDEST))
    for i, width in widths.items():
        sheet.set_column(i, i, width)
    return widths


def _write_table(
    sheet: Sheet,
    row: int,
    table: Table,
    widths: Mapping[int, int],
    formats: Formats,
    *,
    single: bool,
) -> int:
    """Write a table from a row on; return the row after it. A single one freezes and filters."""
    sheet.write_string(row, 0, table.title[:LONGEST], formats["heading"])
    row = first = _write_heading(sheet, row + 1, table, widths, formats)
    forms = [formats[column.form] for column in table.columns]
    for values in table.rows:
        for i, value in enumerate(values):
            if isinstance(value, str):
                sheet.write_string(row, i, value[:LONGEST], formats["text"])
            elif value is not None:
                sheet.write_number(row, i, value, forms[i])
        row += 1
    if single:
        _freeze(sheet, first, table)
    return row


def _write_heading(
    sheet: Sheet, row: int, table: Table, widths: Mapping[int, int], formats: Formats
) -> int:
    """Write the note and the names of the columns; return the row below."""
    if row + len(table.rows) + 2 > LAST_ROW:
        raise ValueError(f"table {table.key} has {len(table.rows)} rows, more than a sheet holds")
    if table.note:
        sheet.write_string(row, 0, table.note[:LONGEST], formats["region"])
        row += 1
    for i, column in enumerate(table.columns):
        form = formats["head text" if column.form == "text" else "head"]
        sheet.write_string(row, i, column.label[:LONGEST], form)
    labels = enumerate(column.label for column in table.columns)
    lines = max(int(width_of(label) / (FILLED * widths[i])) for i, label in labels) + 1
    sheet.set_row(row, LINE * min(lines, MOST_LINES))
    return row + 1


def _freeze(sheet: Sheet, first: int, table: Table) -> None:
    """Keep the heading in sight and on every page, and let the reader filter."""
    if table.rows:
        sheet.freeze_panes(first, table.heads)
        sheet.autofilter(first - 1, 0, first + len(table.rows) - 1, len(table.columns) - 1)
        sheet.repeat_rows(first - 1)
