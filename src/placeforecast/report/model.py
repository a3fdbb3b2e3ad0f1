"""What a report consists of, whatever format it is written in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from matplotlib.figure import Figure as Drawing

Form = Literal["text", "year", "count", "signed", "share", "exact"]
"""How a column is printed: ``signed`` is a count that may be below zero; ``exact`` is not rounded,
for sheets of a workbook only."""
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
    """One column of a table, with the form of its values.

    `code` is its name in files and in Python, which a workbook shows below the label; else blank.
    """

    label: str
    form: Form = "text"
    code: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart that a workbook draws of the cells of a table; other formats have figures.

    Attributes
    ----------
    kind : {"line", "column"}
    category : int
        The column of the horizontal axis: years for a line.
    values : tuple of int
        The columns that are drawn, named by their labels.
    unit : str
        Title of the vertical axis.
    rows : tuple of int
        The first row that is drawn, and the one after the last.
    split : int or None
        Of a line: what lies beyond this category is forecast, and dashed.
    title : int or None
        The column whose first drawn cell is the title; None for the title of the table.
    """

    kind: Literal["line", "column"]
    category: int
    values: tuple[int, ...]
    unit: str
    rows: tuple[int, int]
    split: int | None = None
    title: int | None = None


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
    how : tuple of str
        What the columns are computed by, for a workbook: one text for each, or one for all.
    charts : tuple of Chart
        For a workbook.
    scale : tuple of int
        Columns of signed shares that a workbook shades, red below zero and blue above.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    heads: int = 1
    sheet: str = ""
    note: str = ""
    how: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    scale: tuple[int, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure: how it is drawn, what it is called, and what it shows in words."""

    key: str
    caption: str
    alt: str
    draw: Callable[[], Drawing]

    @cached_property
    def drawn(self) -> Drawing:
        """The figure, drawn once for every format."""
        return self.draw()


Block = Paragraph | Points | Table | Figure


@dataclass(frozen=True)
class Section:
    """A part of the report, and a sheet of the workbook."""

    key: str
    title: str
    sheet: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Choice:
    """One thing that a reader can pick.

    Attributes
    ----------
    key : str
        Names it in rows and in the address of the page.
    name : str
    group : str
        What it stands under in the list, such as the district above; blank for nothing.
    level : str
        Printed level of a district; blank for the others.
    """

    key: str
    name: str
    group: str = ""
    level: str = ""


@dataclass(frozen=True)
class Explorer:
    """Every row of the balance, to be looked at for one district, stage, ledger and case at a time.

    Attributes
    ----------
    labels : Mapping of str to str
        Texts by key; some have fields in braces, for whoever shows them to fill in.
    districts, stages, ledgers, cases : tuple of Choice
        What can be picked; not every district has every stage, nor every stage every ledger.
    years : tuple of int
    columns : Mapping of str to Column
        The values of a row by name, in order.
    rows : tuple of tuple
        District, stage, ledger and plan case by their keys, the year, then a value for each column.
    first : tuple of str
        District, stage, ledger and plan case that are shown at first.
    """

    labels: Mapping[str, str]
    districts: tuple[Choice, ...]
    stages: tuple[Choice, ...]
    ledgers: tuple[Choice, ...]
    cases: tuple[Choice, ...]
    years: tuple[int, ...]
    columns: Mapping[str, Column]
    rows: tuple[tuple[Cell, ...], ...]
    first: tuple[str, str, str, str]


@dataclass(frozen=True)
class Target:
    """A place in a workbook: a sheet, and a row of the table on it (from 0); None for its head."""

    sheet: str
    row: int | None = None


@dataclass(frozen=True)
class Appendix:
    """What only a workbook has: the tables that the figures can be followed back to.

    Attributes
    ----------
    contents : Table
        Every sheet.
    back : str
        The words of the link to it.
    tables : tuple of Table
        Each with a sheet of its own.
    links : Mapping of str to Mapping
        By key of a table, of the report or of the appendix: for row and column of a cell what it
        leads to.
    hows : Mapping of str to tuple of str
        By key of a table of the report: what its columns are computed by.
    """

    contents: Table
    back: str
    tables: tuple[Table, ...]
    links: Mapping[str, Mapping[tuple[int, int], Target]]
    hows: Mapping[str, tuple[str, ...]]


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
    skip : str
        The words of a link past all that stands before the first section.
    sections : tuple of Section
    explorer : Explorer or None
        For formats that a reader can ask questions; None without a balance.
    appendix : callable or None
        Makes the sheets that only a workbook has.
    mark : str
        Says in the properties of a file which region and launch it is of, in plain characters.
    """

    language: str
    region: str
    title: str
    subtitle: str
    contents: str
    sheet_note: str
    skip: str
    sections: tuple[Section, ...]
    explorer: Explorer | None = None
    appendix: Callable[[], Appendix] | None = None
    mark: str = ""

    def tables(self) -> Iterator[tuple[Section, Table]]:
        """Yield every table with the section it stands in."""
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Table):
                    yield section, block
