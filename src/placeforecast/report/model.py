"""What a report consists of, whatever format it is written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.figure import Figure as Drawing

Form = Literal["text", "year", "count", "signed", "share"]
"""How a column is printed: ``signed`` is a count that may be below zero."""
Cell = str | float | int | None
"""One value; None where there is none."""


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Points:
    """A list of short texts."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """One column of a table, with the form of its values."""

    label: str
    form: Form = "text"


@dataclass(frozen=True)
class Table:
    """A table; all formats print the same values.

    Attributes
    ----------
    key : str
        Names the table within the report.
    heads : int
        How many columns from the left say what a row is.
    sheet : str
        Name of a sheet of its own, for a table too long for a page; blank for one in the text.
    note : str
        What must be known to read it.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    heads: int = 1
    sheet: str = ""
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure: how it is drawn, what it is called, and what it shows in words."""

    key: str
    caption: str
    alt: str
    draw: Callable[[], Drawing]


Block = Paragraph | Points | Table | Figure


@dataclass(frozen=True)
class Section:
    """A part of the report, and a sheet of the workbook."""

    key: str
    title: str
    sheet: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """A report, ready to be written in any format.

    Attributes
    ----------
    language : str
    region : str
        Stands on every page and every sheet.
    title, subtitle : str
    contents, sheet_note : str
        The heading of the table of contents; where to find a table that has a sheet of its own
        (with fields ``title`` and ``sheet``).
    sections : tuple of Section
    """

    language: str
    region: str
    title: str
    subtitle: str
    contents: str
    sheet_note: str
    sections: tuple[Section, ...]

    def tables(self) -> Iterator[tuple[Section, Table]]:
        """Yield every table with the section it stands in."""
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Table):
                    yield section, block
