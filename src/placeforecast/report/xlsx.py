"""The report as a workbook: every table of it, every row of the balance, and what they rest on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import xlsxwriter

from placeforecast.report.longsheet import LongSheet
from placeforecast.report.model import Figure, Paragraph, Points, Table
from placeforecast.report.xlsx_charts import charts_of, insert_charts, rows_for
from placeforecast.report.xlsx_table import (
    HEAD_ROWS,
    LINE,
    LONGEST,
    Spot,
    formats_of,
    freeze,
    rows_of_heading,
    set_widths,
    shade,
    short,
    span_of,
    write_cells,
    write_heading,
    write_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from placeforecast.report.model import Appendix, Block, Report, Section, Target
    from placeforecast.report.xlsx_table import Addresses, Formats, Sheet

CREATED = datetime(2000, 1, 1)
"""The same in every workbook, so that the same figures give the same bytes."""
OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
A4 = 9


@dataclass
class Book:
    """A workbook while it is written."""

    report: Report
    file: Any
    formats: Formats
    appendix: Appendix | None
    long: list[LongSheet] = field(default_factory=list)

    def how(self, table: Table) -> Sequence[str]:
        """Return what computes the columns of a table."""
        known: Mapping[str, Sequence[str]] = {} if self.appendix is None else self.appendix.hows
        return table.how or known.get(table.key, ())

    def links(self, table: Table) -> Addresses:
        """Return what the cells of a table lead to: never anything outside the workbook."""
        if self.appendix is None:
            return {}
        found = self.appendix.links.get(table.key, {})
        return {cell: self._address(target) for cell, target in found.items()}

    @cached_property
    def firsts(self) -> Mapping[str, int]:
        """The number, from 1, of the first row of values of each table on a sheet of its own."""
        own = [table for _, table in self.report.tables() if table.sheet]
        if self.appendix is not None:
            own += [self.appendix.contents, *self.appendix.tables]
        return {t.sheet: HEAD_ROWS + rows_of_heading(t, self.how(t)) + 1 for t in own}

    def _address(self, target: Target) -> tuple[str, str]:
        if target.row is None:
            return address(target.sheet, 1), ""
        row = self.firsts[target.sheet] + target.row
        return address(target.sheet, row), f"!A{row}"


def address(sheet: str, row: int) -> str:
    """Return where a link inside the workbook leads: the first cell of a row, from 1.

    Examples
    --------
    >>> from placeforecast.report.xlsx import address
    >>> address("What's in", 7)
    "internal:'What''s in'!A7"
    """
    return f"internal:'{sheet.replace(chr(39), chr(39) * 2)}'!A{row}"


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
    appendix = report.appendix() if report.appendix is not None else None
    with xlsxwriter.Workbook(str(path), OPTIONS) as file:
        told = {"title": report.title, "subject": report.region, "keywords": report.mark}
        file.set_properties({**told, "created": CREATED})
        book = Book(report, file, formats_of(file), appendix)
        for section in report.sections:
            own = [b for b in section.blocks if isinstance(b, Table) and b.sheet]
            _write_section(
                book, section, [b for b in section.blocks if not (isinstance(b, Table) and b.sheet)]
            )
            if section is report.sections[0] and appendix is not None:
                own = [appendix.contents, *own]
            for table in own:
                _write_own_sheet(book, table)
        for table in () if appendix is None else appendix.tables:
            _write_own_sheet(book, table)
    if not all(sheet.finished for sheet in book.long):
        raise RuntimeError("this release of XlsxWriter writes rows in another way; see LongSheet")


def _sheet(book: Book, name: str, kind: type | None = None) -> Sheet:
    """Add a sheet that prints on landscape A4, with the region on every page."""
    sheet = book.file.add_worksheet(name, kind)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    texts = (book.report.region[:80], book.report.title[:40])
    region, title = (text.replace("&", "&&") for text in texts)
    sheet.set_header(f"&L{region}&R{title}")
    sheet.set_footer("&C&P / &N")
    return sheet


def _write_head(book: Book, sheet: Sheet, title: str) -> int:
    """Write the region, the title and the way back to the contents; return the next row."""
    sheet.write_string(0, 0, book.report.region[:LONGEST], book.formats["region"])
    sheet.write_string(1, 0, title[:LONGEST], book.formats["title"])
    sheet.set_row(1, 1.5 * LINE)
    given = book.appendix
    if given is not None and sheet.name != given.contents.sheet:
        where = address(given.contents.sheet, 1)
        sheet.write_url(2, 0, where, book.formats["back"], given.back)
    return HEAD_ROWS


def _write_section(book: Book, section: Section, blocks: Iterable[Block]) -> None:
    """Write a section: its charts, and its texts and tables below one another."""
    report, formats = book.report, book.formats
    first = section is report.sections[0]
    sheet = _sheet(book, section.sheet)
    row = _write_head(book, sheet, report.title if first else section.title)
    if first:
        sheet.write_string(row, 0, report.subtitle[:LONGEST], formats["region"])
        row += 2
    tables = [block for block in blocks if isinstance(block, Table)]
    widths = set_widths(sheet, tables)
    span = span_of(widths)
    charts, top = charts_of(tables), row
    row += rows_for(len(charts))
    single = len(tables) == 1 and not first and not charts
    spots: dict[str, Spot] = {}
    for block in blocks:
        match block:
            case Table():
                spots[block.key] = _write_table(book, sheet, row, block, widths)
                row = spots[block.key].first + len(block.rows) + 1
                if single:
                    freeze(sheet, spots[block.key].first, block)
            case Points(items):
                for item in items:
                    row = write_text(sheet, row, f"· {item}", span, formats["plain"])
            case Paragraph(text):
                row = write_text(sheet, row, text, span, formats["plain"])
            case Figure():
                pass  # figures stand in the page
    insert_charts(book.file, sheet, top, charts, spots)


def _write_table(
    book: Book, sheet: Sheet, row: int, table: Table, widths: Mapping[int, int]
) -> Spot:
    """Write a table from a row on; return where it stands."""
    how, formats = book.how(table), book.formats
    sheet.write_string(row, 0, table.title[:LONGEST], formats["heading"])
    first = write_heading(sheet, row + 1, table, how, widths, formats)
    write_cells(sheet, first, table, book.links(table), formats)
    shade(sheet, first, table)
    codes = any(column.code for column in table.columns)
    return Spot(row, first - 1 - codes, first)


def _write_own_sheet(book: Book, table: Table) -> None:
    """Write a long table on a sheet of its own."""
    links, formats = book.links(table), book.formats
    sheet = _sheet(book, table.sheet, None if links else LongSheet)
    row = _write_head(book, sheet, table.title)
    row = write_heading(sheet, row, table, book.how(table), set_widths(sheet, [table]), formats)
    if links:
        write_cells(sheet, row, table, links, formats)
    else:
        book.long.append(sheet)
        rows = [[short(value) for value in values] for values in table.rows]
        forms = [(formats["text"], formats[column.form]) for column in table.columns]
        sheet.add_rows(row, rows, forms)
    shade(sheet, row, table)
    freeze(sheet, row, table)
