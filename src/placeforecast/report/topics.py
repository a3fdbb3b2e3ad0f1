"""Tables of a forecast shown as they are, with printed names of columns and values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.report.model import Column, Paragraph, Table
from placeforecast.report.view import cells
from placeforecast.tables.vocabulary import values, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.report.model import Block, Cell, Form
    from placeforecast.report.view import View

MOST_ROWS = 60
"""A longer table has a sheet of its own; the page then shows the whole region, or warnings only."""
QUIET = "normal"
"""The level of warning that a page leaves out."""
FORMS: Mapping[str, Form] = {
    "year": "year",
    "gap": "signed",
    "ratio": "share",
    "uplift": "share",
    "share_large": "share",
}
"""How columns are printed that are no text and no count."""
LISTS, LISTED, MOST_NAMED = ("project", "district", "stage"), ", ", 3
"""Columns that may hold several names, what stands between them, and how many are printed."""
UNSHOWN = ("scenario", "requirement")
KNOWN = ("enrolment", "demand", "balance", "projects", "housing")
"""Tables whose columns come first where a column stands in several."""


@dataclass(frozen=True)
class Topic:
    """A table of the forecast that a section shows as it is.

    Attributes
    ----------
    name : str
        Of the table.
    source : str
        The input that it needs.
    section : str
        The part of the catalogue that holds its title and note, and of a table that may be long
        the name of its sheet.
    renamed : mapping of str to str
        Columns that are printed by another name.
    """

    name: str
    source: str
    section: str
    renamed: Mapping[str, str] = field(default_factory=dict)


def topic_blocks(view: View, topic: Topic) -> list[Block]:
    """Return the table of a topic, or what is needed for it."""
    words, section = view.words, topic.section
    title, note = words(f"{section}.{topic.name}"), words(f"{section}.{topic.name}_note")
    table: pd.DataFrame | None = getattr(view.forecast, topic.name, None)
    if table is None:
        return [Paragraph(words("special.none", title=title, file=topic.source))]
    if table.empty:
        return [Paragraph(words("special.empty", title=title))]
    table = table.drop(columns=list(UNSHOWN), errors="ignore").rename(columns=dict(topic.renamed))
    if len(table) <= MOST_ROWS:
        return [listed(view, table, (topic.name, title, note))]
    blocks: list[Block] = []
    part = table[table["district"] == view.areas.shown[0]]
    if "warning" in table.columns:
        part = table[~table["warning"].isin([QUIET])]
    if 0 < len(part) <= MOST_ROWS:
        excerpt = words("special.excerpt", title=title)
        blocks.append(listed(view, part, (topic.name, excerpt, note)))
    named = (f"{topic.name}_all", title, note)
    return [*blocks, listed(view, table, named, sheet=words(f"{section}.{topic.name}_sheet"))]


def listed(
    view: View, table: pd.DataFrame, named: tuple[str, str, str], *, sheet: str = ""
) -> Table:
    """Return a table of the forecast as it is, with the names of columns and values.

    Parameters
    ----------
    view : View
    table : DataFrame
    named : tuple of str
        Key, title and note.
    sheet : str
        Name of a sheet of its own, where the table is too long for a page.
    """
    key, title, note = named
    columns = [str(name) for name in table.columns]
    forms = {name: _form(table[name], name) for name in columns}
    told = [_cells(view, table[name], name, forms[name]) for name in columns]
    heads = max(1, sum(forms[name] == "text" for name in columns[:3]))
    return Table(
        key=key,
        title=title,
        columns=tuple(Column(_label(view, name), forms[name]) for name in columns),
        rows=tuple(zip(*told, strict=True)),
        heads=heads,
        sheet=sheet,
        note=note,
    )


def _form(column: pd.Series[Any], name: str) -> Form:
    plain = not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    return "text" if plain else FORMS.get(name, "count")


def _cells(view: View, column: pd.Series[Any], name: str, form: Form) -> Sequence[Cell]:
    if form != "text":
        return cells(column, counted=form != "year")
    return [None if pd.isna(value) else _told(view, name, str(value)) for value in column]


def _told(view: View, name: str, value: str) -> str:
    """Return the printed name of a value, of a long list its beginning."""
    words, parts = view.words, value.split(LISTED)
    if name in LISTS and len(parts) > 1:
        told = [_told(view, name, part) for part in parts[:MOST_NAMED]]
        left = len(parts) - len(told)
        joined = words("report.join").join(told)
        return words("report.more", list=joined, count=left) if left else joined
    if name == "district":
        return view.printed(value)
    if name == "stage":
        return words.stage(value)
    if name == "warning":
        return words.warning(value)
    if name == "level":
        return of_list(view, "level", value)
    return words.texts.get(f"{name}.{value}", value)


def of_list(view: View, list_name: str, value: str) -> str:
    """Return the printed name of a value of some list, as the first word of a cell."""
    name = view.words.value(list_name, value) if value in values(list_name) else value
    return name[:1].upper() + name[1:]


def _label(view: View, name: str) -> str:
    """Return the printed name of a column: of the catalogue, else of the vocabulary."""
    words = view.words
    if f"column.{name}" in words.texts:
        return words(f"column.{name}")
    known = vocabulary()
    for table in dict.fromkeys((*(t for t in KNOWN if t in known), *known)):
        if name in {column.name for column in known[table].columns}:
            return words.column(table, name)
    return words.column("demand", name)
