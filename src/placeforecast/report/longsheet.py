"""A sheet for a table of many thousand rows.

XlsxWriter writes cell by cell, some 6 microseconds each; the balance of one city has 700,000 cells.
Here a whole row becomes one piece of XML. The heading and all settings of the sheet stay
XlsxWriter's; a release that no longer calls `_write_rows` is noticed by `finished`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from placeforecast.report.model import Cell


class LongSheet(Worksheet):  # type: ignore[misc]  # XlsxWriter has no types
    """A worksheet that ends in a long table."""

    long_rows: Sequence[Sequence[Cell]] = ()
    long_start = 0
    long_formats: Sequence[tuple[Any, Any]] = ()
    long_texts: Mapping[str, int]
    finished = True

    def add_rows(
        self, start: int, rows: Sequence[Sequence[Cell]], formats: Sequence[tuple[Any, Any]]
    ) -> None:
        """Add the rows of a table below everything else on the sheet.

        Parameters
        ----------
        start : int
            Number of the first row, from 0.
        rows : sequence of sequence
            Python's own numbers, texts, and None for a cell that is left out.
        formats : sequence of (format, format)
            For each column, of its texts and of its numbers.
        """
        if not rows:
            return
        self._check_dimensions(start + len(rows) - 1, len(formats) - 1)  # how far the sheet goes
        self.long_rows, self.long_start, self.long_formats = rows, start, formats
        texts = [value for values in rows for value in values if isinstance(value, str)]
        index: Callable[[str], int] = self.str_table._get_shared_string_index
        self.long_texts = {text: index(text) for text in dict.fromkeys(texts)}
        self.str_table.count += len(texts) - len(self.long_texts)
        self.finished = False

    def _write_rows(self) -> None:
        super()._write_rows()
        columns = list(zip(*self.long_rows, strict=True))
        written = [list(self._column(i, column)) for i, column in enumerate(columns)]
        for number, cells in enumerate(zip(*written, strict=True), start=self.long_start + 1):
            at = str(number)
            row = "".join([cell.replace("#", at, 1) for cell in cells])
            self.fh.write(f'<row r="{at}">{row}</row>')
        self.finished = True

    def _column(self, index: int, values: Sequence[Cell]) -> Iterator[str]:
        """Yield the cells of a column as XML, with # for the number of the row."""
        name = xl_col_to_name(index)
        text, figure = (form._get_xf_index() for form in self.long_formats[index])
        for value in values:
            if value is None:
                yield ""
            elif isinstance(value, str):
                yield f'<c r="{name}#" s="{text}" t="s"><v>{self.long_texts[value]}</v></c>'
            else:
                yield f'<c r="{name}#" s="{figure}"><v>{value!r}</v></c>'
