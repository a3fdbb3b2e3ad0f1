"""Sheets of what the figures rest on: every input table as it was read, every assumption."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.report.model import Column, Table
from placeforecast.report.xlsx_table import LAST_ROW
from placeforecast.tables.records import ASSUMED_TABLES, VOCABULARY_NAME
from placeforecast.tables.vocabulary import COMMON_COLUMNS, vocabulary

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from placeforecast.report.model import Cell, Form
    from placeforecast.report.view import View

MOST_ROWS = LAST_ROW - 20
"""A longer table is left out: a sheet holds no more below its heading."""
LONGEST_NAME = 31
"""Of a sheet."""
FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
"""Characters that no name of a sheet may have."""
NUMBERED = ("enrolment", "population")
"""Tables whose rows an explanation numbers as they are in the inputs; all others as assumed."""


@dataclass(frozen=True)
class Listing:
    """A table of the inputs or of the assumptions, on a sheet.

    Attributes
    ----------
    group : str
        ``input`` or ``assumed``.
    name : str
        Of the table.
    rows : int
    file : str
        Blank without one.
    table : Table or None
        None where it is left out.
    sheet : str
        Where it stands; of a table that is the same as an input table, where that stands.
    remark : str
        Why it has no sheet of its own; blank where it has one.
    """

    group: str
    name: str
    rows: int
    file: str
    table: Table | None
    sheet: str
    remark: str = ""


def sheet_name(wanted: str, taken: Collection[str]) -> str:
    """Return a name that a sheet may have, and that none has yet, whatever its capitals.

    Examples
    --------
    >>> from placeforecast.report.listings import sheet_name
    >>> sheet_name("a/b: [c]", []), sheet_name("Plan", ["plan", "Plan (2)"])
    ('a b   c', 'Plan (3)')
    """
    plain = FORBIDDEN.sub(" ", wanted).strip().strip("'").strip() or "-"
    known = {name.lower() for name in taken} | {"history"}  # a name that Excel keeps for itself
    name, number = plain[:LONGEST_NAME].strip().strip("'"), 1
    while name.lower() in known:
        number += 1
        tail = f" ({number})"
        name = plain[: LONGEST_NAME - len(tail)].strip() + tail
    return name


def listings_of(view: View, taken: Collection[str]) -> list[Listing]:
    """Return every input table as it was read, then every assumption that is another table.

    Parameters
    ----------
    view : View
    taken : collection of str
        Names of sheets that are there already.
    """
    inputs, assumed = view.forecast.inputs, view.forecast.assumptions
    given = dict(inputs.tables())
    if inputs.rebased is not None:
        given["boundaries"] = inputs.rebased
    names = set(taken)
    found: list[Listing] = []
    for name, table in given.items():
        found.append(_input(view, name, table, names))
        names.add(found[-1].sheet)
    sheets = {listing.name: listing.sheet for listing in found}
    for name in (*ASSUMED_TABLES, "selection"):
        frame: pd.DataFrame | None = getattr(assumed, name)
        if frame is None:
            continue
        if name in given and frame.equals(given[name]):
            same, count = view.words("workbook.same"), len(frame)
            found.append(Listing("assumed", name, count, "", None, sheets[name], same))
        else:
            found.append(_assumed(view, name, frame, names))
            names.add(found[-1].sheet)
    return found


def sheet_of_rows(listings: list[Listing]) -> Mapping[str, str]:
    """Return the sheet on which the rows of a table stand that an explanation names."""
    found = {e.name: e.sheet for e in listings if e.group == "input" and e.name in NUMBERED}
    assumed = {e.name: e.sheet for e in listings if e.group == "assumed" and e.name not in NUMBERED}
    return {name: sheet for name, sheet in {**assumed, **found}.items() if sheet}


def _input(view: View, name: str, table: pd.DataFrame, taken: Collection[str]) -> Listing:
    words = view.words
    known = view.forecast.inputs.provenance
    told = known[known["table"] == name].to_dict("records")
    read = {str(key): value for key, value in told[0].items()} if told else {}
    count, file = view.count(len(table)), str(read.get("file", ""))
    lines = _numbers(read.get("lines"))
    note = words("workbook.no_file", rows=count)
    if file:
        note = words("workbook.file_note", file=file, rows=count, sha=read["sha256"])
        if len(lines) != len(table):
            note += words("workbook.no_lines")
    told_lines = lines if len(lines) == len(table) else None
    wanted = words("workbook.input_sheet", table=words.table(name))
    return _listing(view, ("input", name, file), table, (wanted, note), taken, told_lines)


def _assumed(view: View, name: str, table: pd.DataFrame, taken: Collection[str]) -> Listing:
    words = view.words
    key = f"assumed.{name}" if f"assumed.{name}" in words.texts else "assumed.other"
    note = words("workbook.assumed_note", rows=view.count(len(table)), how=words(key))
    wanted = words("workbook.assumed_sheet", table=words.table(VOCABULARY_NAME.get(name, name)))
    return _listing(view, ("assumed", name, ""), table, (wanted, note), taken, None)


def _listing(
    view: View,
    named: tuple[str, str, str],
    table: pd.DataFrame,
    texts: tuple[str, str],
    taken: Collection[str],
    lines: list[int] | None,
) -> Listing:
    """Return a table with the number of each row, and of its line in the file."""
    words = view.words
    group, name, file = named
    if len(table) > MOST_ROWS:
        counts = {"rows": view.count(len(table)), "limit": view.count(MOST_ROWS)}
        return Listing(
            group, name, len(table), file, None, "", words("workbook.too_long", **counts)
        )
    columns = [Column(words("workbook.row"), "year")]
    told: list[list[Cell]] = [list(range(1, len(table) + 1))]
    if lines is not None:
        columns.append(Column(words("workbook.line"), "year"))
        told.append(list(lines))
    numbers = len(columns)
    kind = VOCABULARY_NAME.get(name, name) if group == "assumed" else name
    for code in table.columns:
        form = _form(table[code], str(code))
        columns.append(Column(column_label(view, kind, str(code)), form, str(code)))
        told.append(_cells(table[code], form))
    sheet = sheet_name(texts[0], taken)
    own = Table(
        key=f"{group}_{name}",
        title=texts[0],
        columns=tuple(columns),
        rows=tuple(zip(*told, strict=True)),
        heads=numbers + 1,
        sheet=sheet,
        note=texts[1],
    )
    return Listing(group, name, len(table), file, own, sheet)


def column_label(view: View, table: str, code: str) -> str:
    """Return the printed name of a column of an input table or an assumption."""
    if code in COMMON_COLUMNS:
        return view.words(f"workbook.column_{code}")
    if table in vocabulary():
        return view.words.column(table, code)
    return view.words.texts.get(f"column.{code}", code.replace("_", " "))


def _form(column: pd.Series[Any], name: str) -> Form:
    if not any(_is_number(value) for value in column.tolist()):
        return "text"
    return "year" if name.startswith("year") or name == "vintage" else "exact"


def _cells(column: pd.Series[Any], form: Form) -> list[Cell]:
    """Return a column as it is: nothing is rounded, and a blank stays blank."""
    told = ((value, _is_number(value)) for value in column.tolist())
    if form == "text":
        return [None if pd.isna(value) else str(value) for value, _ in told]
    return [None if pd.isna(v) else v if number else str(v) for v, number in told]


def _is_number(value: object) -> bool:
    """Whether a value is a number: a column such as the value of a policy may hold texts too."""
    return isinstance(value, int | float) and not isinstance(value, bool) and not pd.isna(value)


def _numbers(spans: object) -> list[int]:
    """Return the numbers that spans such as 2-40, 42-90 stand for; none for a blank.

    Examples
    --------
    >>> from placeforecast.report.listings import _numbers
    >>> _numbers("2-4, 7-7"), _numbers(None)
    ([2, 3, 4, 7], [])
    """
    if not isinstance(spans, str):
        return []
    ends = (span.split("-") for span in spans.split(", ") if span)
    return [number for first, last in ends for number in range(int(first), int(last) + 1)]
