"""One table against the vocabulary."""

from __future__ import annotations

import warnings
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.tables.cells import is_blank, read_column
from placeforecast.tables.indicators import indicator_problems
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse, suggest
from placeforecast.tables.vocabulary import COMMON_COLUMNS, vocabulary

if TYPE_CHECKING:
    from placeforecast.tables.vocabulary import Column, Table


NEEDED = ("key", "value", "either")


def check(table: pd.DataFrame, name: str, *, called: str = "") -> pd.DataFrame:
    """Check one table against the vocabulary and return it with the right types.

    Parameters
    ----------
    table : DataFrame
        The table, cells as text or as numbers.
    name : str
        Its name in the vocabulary, such as ``"births"``.
    called : str, optional
        What to call it in a message; its name if left out.

    Returns
    -------
    DataFrame
        Known columns in the order of the vocabulary, keys and counts typed, rows as given.

    Raises
    ------
    InputError
        With every problem of every cell.
    KeyError
        If there is no such table.
    TypeError
        If it is not a DataFrame.

    Warns
    -----
    AssumptionWarning
        For columns that the vocabulary does not know; they are left out.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> births = pd.DataFrame({"district": ["A"], "year": ["2020"], "births": ["310"]})
    >>> pf.check(births, "births")
      district  year  births
    0        A  2020   310.0
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"{called or name} must be a DataFrame, not {type(table).__name__}")
    rows = table.set_axis(pd.RangeIndex(1, len(table) + 1), axis="index")
    checked, problems = examine(rows, name, file=called or name)
    refuse(problems)
    return checked.reset_index(drop=True)


def examine(
    table: pd.DataFrame, name: str, *, file: str, sheet: str = ""
) -> tuple[pd.DataFrame, list[Problem]]:
    """Check one table and return what could be read of it together with its problems.

    Parameters
    ----------
    table : DataFrame
        Cells as they came; its index holds the row numbers to print.
    name : str
        Name in the vocabulary.
    file, sheet : str
        Where the table comes from, for the messages.

    Returns
    -------
    tuple of DataFrame and list of Problem
    """
    if name not in vocabulary():
        raise KeyError(f"there is no table {name!r}. {suggest(name, vocabulary())}")
    spec = vocabulary()[name]
    headings = [str(column).strip() for column in table.columns]
    table = table.set_axis(headings, axis="columns")
    problems = _heading_problems(table, spec)
    columns = {}
    if not problems:
        for column in spec.columns:
            if column.name in headings:
                series, found = _read(table, column)
                columns[column.name] = _plain(series, column)
                problems += found
        for common in COMMON_COLUMNS:
            if common in headings and common not in columns:
                columns[common] = table[common].astype("object").where(~is_blank(table[common]))
    checked = pd.DataFrame(columns, index=table.index)
    if len(columns):
        broken = {problem.row for problem in problems}
        whole = checked[~checked.index.isin(broken)] if broken else checked
        problems += _either_problems(whole, spec)
        problems += _repeats(whole, spec)
        problems += indicator_problems(whole, name)
    return checked, [replace(p, file=file, sheet=sheet) for p in problems]


def _heading_problems(table: pd.DataFrame, spec: Table) -> list[Problem]:
    headings = list(table.columns)
    known = {column.name for column in spec.columns} | set(COMMON_COLUMNS)
    strangers = [heading for heading in headings if heading not in known]
    problems = [
        Problem(column=heading, rule="stands twice in the heading", remedy="Keep one of them.")
        for heading in dict.fromkeys(h for h in headings if headings.count(h) > 1)
    ]
    if not known & set(headings):
        listed = ", ".join(column.name for column in spec.columns if column.role in NEEDED)
        found = ", ".join(repr(name) for name in headings) if any(headings) else "nothing"
        rule = f"has none of its headings in the first row, which holds {found}"
        remedy = f"Write them in English in the first row, separated by commas: {listed}."
        return [Problem(rule=rule, remedy=remedy)]
    problems += [
        Problem(
            column=column.name,
            rule="is missing",
            remedy=f"Add it ({column.meaning or column.zh}).{_near(column, strangers)}",
        )
        for column in spec.columns
        if column.role in ("key", "value") and column.name not in headings
    ]
    either = [column for column in spec.columns if column.role == "either"]
    if either and not {column.name for column in either} & set(headings):
        near = "".join(_near(column, strangers) for column in either)
        rule = f"has none of the columns {', '.join(column.name for column in either)}"
        problems.append(Problem(rule=rule, remedy=f"Add one of them.{near}"))
    if not problems and not len(table):
        problems.append(Problem(rule="has no rows", remedy="Fill it, or remove it."))
    if not problems and strangers:
        text = f"{spec.name}: columns not used: {', '.join(strangers)}.{_meant(strangers, known)}"
        warnings.warn(AssumptionWarning(text), stacklevel=4)
    return problems


def _meant(strangers: list[str], known: set[str]) -> str:
    """Say which known column an unknown one may be."""
    close = get_close_matches(strangers[0], sorted(known), n=1, cutoff=0.7)
    return f" Did you mean {close[0]!r}?" if close else ""


def _near(column: Column, strangers: list[str]) -> str:
    """Say which heading may be meant for a column."""
    close = get_close_matches(column.name, strangers, n=1, cutoff=0.6)
    meant = [name for name in strangers if name in (column.zh, column.name.capitalize())] or close
    return f" Is it {meant[0]!r}? Write {column.name}." if meant else ""


def _read(table: pd.DataFrame, column: Column) -> tuple[pd.Series[Any], list[Problem]]:
    series, problems = read_column(table[column.name], column)
    if column.role in ("key", "free_key", "value"):
        wrong = {problem.row for problem in problems}
        unit = f" ({column.unit})" if column.unit else ""
        remedy = (
            f"Fill it{unit}; a count of 0 is written as 0, an unknown one is a row left out."
            if column.role == "value"
            else "Fill it"
            + (", or leave the whole column out." if column.role == "free_key" else ".")
        )
        problems += [
            Problem(row=int(row), column=column.name, rule="is blank", remedy=remedy)
            for row in table.index[series.isna()]
            if row not in wrong
        ]
    return series, problems


def _either_problems(checked: pd.DataFrame, spec: Table) -> list[Problem]:
    either = [c.name for c in spec.columns if c.role == "either" and c.name in checked.columns]
    if not either:
        return []
    filled = checked[either].notna().sum(axis="columns")
    names = " or ".join(either)
    return [
        Problem(
            row=int(str(row)),
            column=names,
            rule="is blank" if count == 0 else "is given in two ways",
            remedy=f"Fill one of {', '.join(either)}.",
        )
        for row, count in filled.items()
        if count != 1
    ]


def _repeats(checked: pd.DataFrame, spec: Table) -> list[Problem]:
    keys = [key for key in spec.keys if key in checked.columns]
    if spec.ordered:
        return []
    if not keys:
        extra = checked.index[1:]
        return [
            Problem(row=int(row), rule="stands beside another row", remedy="Keep one row.")
            for row in extra
        ]
    twice = checked.duplicated(keys, keep=False)
    first: dict[tuple[object, ...], int] = {}
    problems = []
    for row, cells in zip(
        checked.index[twice], checked.loc[twice, keys].itertuples(index=False), strict=True
    ):
        cell = tuple("" if pd.isna(part) else part for part in cells)
        if cell in first:
            named = ", ".join(f"{k} {v}" for k, v in zip(keys, cell, strict=True) if v != "")
            rule = f"repeats row {first[cell]} ({named})"
            problems.append(Problem(row=int(row), rule=rule, remedy="Keep one of the two rows."))
        else:
            first[cell] = int(row)
    return problems


def _plain(series: pd.Series[Any], column: Column) -> pd.Series[Any]:
    """Give a column that is filled throughout its plain type."""
    plain: dict[str, Any] = {"Int64": "int64", "object": "str"}
    dtype, mixed = str(series.dtype), column.kind == "number_or_word"
    filled = dtype in plain and not mixed and not series.isna().any()
    return series.astype(plain[dtype]) if filled else series
