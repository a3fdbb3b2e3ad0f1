"""The vocabulary as a page to read: every table, its columns and the values they may hold."""

from __future__ import annotations

from placeforecast.tables.records import INPUT_TABLES
from placeforecast.tables.vocabulary import Column, Table, values, vocabulary

ROLES = {
    "key": "key",
    "free_key": "key; the column may be left out",
    "open_key": "key; may be blank",
    "value": "needed",
    "either": "one of these",
    "optional": "optional",
}
HEAD = """\
# Tables of a region

A region is a folder with one CSV per table (UTF-8, English headings) and `forecast.toml`. This
page is made from the vocabulary by `make dictionary`; a test holds the two together. Every table
may also carry the text columns `source`, `confidence` and `note`.

`key` columns name a row and may not repeat. A key that *may be left out* means \"the same all along
that axis\" when its column is missing; a key that *may be blank* means \"every\" where it is blank.
Shares run from 0 to 1. `year` is the calendar year in which the school year starts, except in
`births` and `population`, which are given as published and moved into the school year on reading.
"""


def data_dictionary() -> str:
    """Return the data dictionary of the input tables as Markdown.

    Examples
    --------
    >>> from placeforecast.tables.dictionary import data_dictionary
    >>> data_dictionary().splitlines()[0]
    '# Tables of a region'
    """
    parts = [HEAD]
    parts += [_table(vocabulary()[name]) for name in INPUT_TABLES]
    return "\n".join(parts)


def _table(table: Table) -> str:
    unused = "" if table.used else " Read and checked; not computed with yet."
    rows = "\n".join(_row(column) for column in table.columns)
    return (
        f"## `{table.name}` ({table.zh})\n\n{table.meaning}.{unused}\n\n"
        f"| column | 中文 | what | unit | values |\n| --- | --- | --- | --- | --- |\n{rows}\n"
    )


def _row(column: Column) -> str:
    what = f"{ROLES[column.role]}: {column.meaning}" if column.meaning else ROLES[column.role]
    cells = (f"`{column.name}`", column.zh, what, column.unit, _allowed(column))
    return f"| {' | '.join(cells)} |"


def _allowed(column: Column) -> str:
    if column.values.startswith("*"):
        return f"a {column.values[1:].replace('_', ' ')} of the region"
    if column.values:
        return ", ".join(values(column.values))
    bounds = [
        f"from {column.minimum:g}" if column.minimum is not None else "",
        f"to {column.maximum:g}" if column.maximum is not None else "",
    ]
    span = " ".join(bound for bound in bounds if bound)
    return f"{column.kind} {span}".strip().replace("_", " ")
